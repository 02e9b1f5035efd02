"""English words of schedules, as data: one phrase a line or comma, `a|b` for either word.

Each table entry names a cue; the grammar knows cues only, never words. Longest phrase wins.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CUES", "FUNCTION_WORDS"]

CUES: Final[dict[str, str]] = {
    "task": "job|jobs, task|tasks, operation|operations, activity|activities, step|steps, stage|stages",
    "task_weak": (
        "order|orders, sample|samples, batch|batches, part|parts, product|products, item|items, "
        "process|processes, print|prints, piece|pieces, patient|patients, test|tests, "
        "assignment|assignments, project|projects, dish|dishes, cake|cakes, component|components, "
        "exam|exams, experiment|experiments, repair|repairs, car|cars, delivery|deliveries, "
        "workpiece|workpieces, chore|chores, report|reports, surgery|surgeries, load|loads, "
        "phase|phases, measurement|measurements, package|packages, loaf|loaves, "
        "simulation|simulations, build|builds, module|modules, ticket|tickets, case|cases"
    ),
    "machine": (
        "machine|machines, printer|printers, oven|ovens, crew|crews, bench|benches, station|stations, "
        "workstation|workstations, workbench|workbenches, line|lines, team|teams, robot|robots, "
        "worker|workers, kiln|kilns, lathe|lathes, mill|mills, saw|saws, press|presses, "
        "furnace|furnaces, server|servers, node|nodes, room|rooms, dock|docks, bay|bays, gate|gates, "
        "reactor|reactors, tank|tanks, instrument|instruments, technician|technicians, "
        "operator|operators, painter|painters, mechanic|mechanics, cook|cooks, chef|chefs, "
        "theatre|theatres, theater|theaters, truck|trucks, crane|cranes, loom|looms, "
        "processor|processors, cpu|cpus, gpu|gpus, core|cores, grinder|grinders, drill|drills, "
        "cutter|cutters, welder|welders, mixer|mixers, dryer|dryers, washer|washers, "
        "centrifuge|centrifuges, microscope|microscopes, spectrometer|spectrometers, "
        "sequencer|sequencers, incubator|incubators, unit|units, cell|cells, device|devices, "
        "equipment, resource|resources, employee|employees, person|people|persons, lab|labs, "
        "studio|studios, autoclave|autoclaves, scanner|scanners, plotter|plotters, lift|lifts, "
        "hall|halls, table|tables, desk|desks, stove|stoves, cluster|clusters, host|hosts, "
        "carpenter|carpenters, electrician|electricians, plumber|plumbers, gang|gangs, "
        "squad|squads, ramp|ramps, booth|booths, chamber|chambers, bed|beds, vehicle|vehicles, "
        "stand|stands, gardener|gardeners, developer|developers, baker|bakers, cleaner|cleaners, "
        "tailor|tailors, nurse|nurses, doctor|doctors, editor|editors, translator|translators, "
        "forklift|forklifts, excavator|excavators, runway|runways, rolling mill|mills, "
        "tool|tools, tester|testers, rig|rigs, milling machine|machines, drill press|presses, "
        "injection moulder|moulders, router|routers, extruder|extruders, shop floor"
    ),
    "takes": (
        "takes|take|taking|took, lasts|last|lasting, will|would|should|may|can|might take|last, "
        "runs for, run for, is|are expected|estimated to take|last, goes on for, occupies|occupy, "
        "has|have a duration of, with a duration of, of length, have|has a length of, has|have durations, "
        "needs|need|requires|require about, for a duration of, processing time is, duration is"
    ),
    "needs": (
        "needs|need|requires|require|needing|requiring, depends|depend on, dependent on, relies|rely on, "
        "must|has|have|needs|need|should to wait for, waits|wait|waiting for, must wait for, "
        "presupposes, builds|build on"
    ),
    "duration": (
        "duration|durations, processing time|times, times, lengths, running time|times, job times, "
        "task times, time needed"
    ),
    "each": "each, every, apiece, each of the, each of these, each of them, per job, per task",
    "all": (
        "all, all of the, all the, all of these, all of them, all our, all identical, both, "
        "both of the, both of them, both the"
    ),
    "everything": (
        "everything, whole thing, whole lot, whole job, all of it, the lot, whole plan, all work, "
        "all the work, whole project, entire project, whole batch, whole schedule, we must be done, "
        "we need to be done, the project, the work"
    ),
    "others": (
        "the|all remaining|other ones, remaining|other ones, the|all other|others, other|others, the rest, rest, rest of the, the remaining, remaining, "
        "all the others, everything else, the rest of the, all remaining, remainder"
    ),
    "after": (
        "after, only after, once, as soon as, when, right after, immediately after, "
        "following, until after, after completion|completing of, upon completion of, "
        "not until, no sooner|earlier than after, wait until, until, behind, "
        "comes after, is preceded by, are preceded by, preceded by, subsequent to, later than"
    ),
    "before": "before, prior to, ahead of, in advance of, earlier than, sooner than",
    "follows": "follows|follow, has|have to follow, must follow, can only follow, succeeds",
    "precedes": (
        "precedes|precede, must precede, has to precede, is|are followed by, followed by, enables, "
        "unlocks, blocks, must come before, is|are a prerequisite for|of, prerequisite for|of, "
        "leads to, is|are needed for|by, are|is required for|by, is|are necessary for"
    ),
    "then": (
        "then, and then, next, after that, afterwards, after which, finally, lastly, and finally, "
        "and lastly, subsequently, thereafter, last of all, followed finally by, at the end"
    ),
    "only": "only, exclusively, solely, just, nowhere but, restricted to, limited to, confined to",
    "not": (
        "not, cannot, can't, mustn't, never, may not, must not, can not, don't, doesn't, isn't, "
        "shouldn't, should not, won't, unable to, barred from, excluded from, forbidden on, "
        "incompatible with, unsuitable for, no access to, not allowed, prohibited from, banned from, "
        "but not, anywhere but, any machine but|except, any machines except|but, anywhere except, "
        "all machines except|but, every machine except|but, neither, nor, unfit for"
    ),
    "on": (
        "on, in, at, use|uses, using, be used for, go|goes on|in|into, with, via, onto, into, by, goes to, assigned to, "
        "allowed on, possible on, done on, run on, runs on, processed by, suited for, fits"
    ),
    "any": (
        "any machine|one|oven|printer|line|crew|bench|station|server|team|room|order|of them|, "
        "anywhere, either machine|one|oven|printer|line|crew|bench, in any order, any free machine, "
        "any of the machines, whichever, interchangeable, identical, no matter which, "
        "independent, independently, in whatever order"
    ),
    "from": "from, starting at, starting from, beginning at, between, as of, since, joins|join, joins|join on|at, starts|start|begins|begin|opens at, "
    "starts|begins work|working at",
    "until": (
        "by, till, until, up to, no later than, not later than, before the end of, through, within, "
        "at the latest by, by no later than, by the end of, in at most, inside, latest by, "
        "not after, until no later than, end of, ends|end|closes|finishes|stops|stop at, ready for|at, "
        "until the end of, leaves|leave at|on, stays|stay until, goes home at"
    ),
    "latest": "latest, at the latest, at latest, deadline|deadlines, due, due date|dates, due time|times, due at, due in",
    "release": (
        "arrives|arrive|arriving, arrives|arrive at|on|in|by, available from, available at|after|only|on|in, "
        "is|are released|ready, released at, release, release time|times, release date|dates, arrival time|times, earliest, "
        "at the earliest, no earlier than, not earlier than, no sooner than, not sooner than, "
        "earliest start, comes in|available, come in, can start from|at, can begin at|from, "
        "ready from|at|on|in, delivered at|on, gets delivered, shows up, turn up, turns up, "
        "may start|begin at|from, starts no earlier than, start not before"
    ),
    "available": (
        "available, staffed, open, opens, works|work|working, operates|operate|operating, "
        "runs|run|running, usable, can be used, in use, on duty, on shift, manned, free, accessible, "
        "operational, at our disposal, is up, are up, switched on, active, in operation, "
        "at work, leaves|leave at|on, stays|stay until, bookable, can work, may work, hours, working hours, shift, shifts, opening hours"
    ),
    "break": (
        "break|breaks, with a break|breaks, with breaks, lunch break, lunch, pause, closed, down, maintenance, except, except for, "
        "apart from, interrupted, but not, unavailable, out of service, not available, "
        "with the exception of, excluding, minus, away, absent, is serviced, off duty, off"
    ),
    "allday": (
        "around the clock, round the clock, all day, day and night, 24/7, 24 / 7, 24-7, nonstop, "
        "non-stop, 24 hours a day, the whole day, whole day, all day long, all day and night, "
        "24 h a day, throughout the day, the entire day, twenty-four hours a day"
    ),
    "always": (
        "always, at any time, any time, anytime, no restriction|restrictions|limits|limit, "
        "without restriction|restrictions|limit|limits, unrestricted, whenever, no time limit|limits, "
        "at all times, no constraints, not restricted, without limitation|limitations, unlimited, "
        "no windows, permanently"
    ),
    "start": "the start, the beginning, start of the plan|project|schedule|day|work, now, time zero, time 0",
    "and": "and, as well as, plus, &, +, and also, together with, along with, and another, and the",
    "or": "or",
    "for": "for, of, to do, for the",
    "in_unit": "in, given in, expressed in, measured in, all in",
    "earlier_first": "first, beforehand, already, previously",
    "none": "no, none of the, neither of the",
    "also": "also, additionally, too, again",
    "workday": (
        "workshop, shop, bakery, lab, laboratory, factory, bakery, plant, working day, workday, office, we, "
        "they, site, company, garage, studio, kitchen, shift, facility, opening hours, hospital, clinic"
    ),
    "in_order": (
        "in this|that|the order, in the given order, in exactly this order, in this|that sequence, "
        "in the order given|listed"
    ),
    "final": (
        "comes|come|coming|goes|go|is|be|done|run|runs last, at the very end, comes|come|goes|go at the end, "
        "the last thing to do, last of all comes, last comes"
    ),
    "initial": "comes|come|goes|go|is|be first, done|finished|completed|run first, first of all comes",
    "immediate": "immediately, right away, straight, directly, at once",
    "unsupported": (
        "the same as, same hours as, the same hours as, likewise, the same time as, same time as, at the same time as, simultaneously with, setup time|times, changeover|changeovers, "
        "in parallel with, concurrently with, priority, priorities, preempt, preemption, "
        "split into, overlap, overlapping, adjacent, back to back, same machine as, "
        "on the same machine, on different machines, the same machine, cool-down, weighted, weights"
    ),
    "about": "about, approximately, around, roughly, approx, circa, ca",
    "bound": "up to, at most, at least, no more than, more than, less than, over, under, minimum, maximum",
    "nextday": "the next day, next day, the following day, the next morning, the day after",
    "filler": (
        "we, i, you, they, it, he, she, there, that, this, these, those, the, a, an, is, are, was, be, "
        "been, being, will, would, shall, should, must, can, could, may, might, has, have, had, do, "
        "does, did, done, get, gets, please, schedule, scheduled, plan, want, wants, like, make, "
        "let, us, our, my, your, their, its, to, so, as, if, which, who, what, where, how, but, "
        "also, still, very, more, most, many, much, few, some, such, than, too, just, start, starts, "
        "started, begin, begins, finish, finishes, finished, end, ends, ended, complete, completed, "
        "ready, possible, allowed, handle, handles, process, processed, performed, perform, able, "
        "tomorrow, today, tonight, here, own, same, different, following, given, consider, find, "
        "create, build, prepare, organise, organize, arrange, assign, put, need, called, named, "
        "namely, identical, parallel, total, labelled, labeled, into, from, with, without, out, up, "
        "respectively, not, no, yes, soon, early, late, later, quickly, fast, while, because, since, whereas, "
        "though, although, however, moreover, each, both, other, another, itself, comes, come, "
        "goes, go, leave, leaves, depart, departs, shipped, dispatched, them, took, remains, remain, lying, lie, minimise, minimize, keep, low, time, help, me, "
        "grows, incubates, soaks, rests, hardens, bakes, dries, cools, ferments, simmers, roasts, rises, boils, cures, "
        "i'd, i'm, we've, we're, it's, i've, there're, there's, that's, we'd, i'll, we'll"
    ),
}
"""Cue to its phrases."""

FUNCTION_WORDS: Final = frozenset(
    [
        "the",
        "and",
        "of",
        "is",
        "are",
        "to",
        "for",
        "on",
        "in",
        "at",
        "must",
        "takes",
        "take",
        "with",
        "by",
        "before",
        "after",
        "each",
        "every",
        "all",
        "can",
        "only",
        "we",
        "have",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "needs",
        "need",
        "job",
        "jobs",
        "task",
        "tasks",
        "machine",
        "machines",
        "hours",
        "hour",
        "minutes",
        "minute",
        "day",
        "days",
        "from",
        "first",
        "then",
        "as",
        "possible",
        "be",
        "it",
        "has",
        "which",
        "schedule",
        "finish",
        "not",
        "cannot",
        "available",
        "one",
        "total",
        "them",
        "their",
        "this",
        "that",
        "an",
        "minimise",
        "minimize",
        "until",
    ]
)
"""Words that vote for English."""
