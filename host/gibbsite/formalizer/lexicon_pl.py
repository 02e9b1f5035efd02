"""Polish words of schedules, as data: one phrase a line or comma, `a|b` for either word.

A word matches by its form or by any of its lemmas, so entries are written as lemmas where all forms
are meant. Each table entry names a cue; the grammar knows cues only. Longest phrase wins.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CUES", "FUNCTION_WORDS"]

CUES: Final[dict[str, str]] = {
    "task": "zadanie, zlecenie, operacja, czynność, etap, krok, robota",
    "task_weak": (
        "zamówienie, próbka, partia, część, produkt, wyrób, proces, wydruk, detal, element, test, "
        "badanie, pacjent, projekt, ciasto, potrawa, danie, naprawa, samochód, dostawa, przesyłka, "
        "egzamin, eksperyment, sztuka, paczka, artykuł, praca, faza, pomiar, wypiek, moduł, serwis, "
        "zabieg, bochenek, mebel, książka, raport, sprawa, wsad, auto, przegląd"
    ),
    "machine": (
        "maszyna, drukarka, piec, ekipa, brygada, stanowisko, linia, robot, zespół, pracownik, "
        "tokarka, frezarka, szlifierka, wiertarka, piła, prasa, stół, stacja, hala, sala, serwer, "
        "obrabiarka, urządzenie, gniazdo, suszarnia, lakiernia, kabina, komora, reaktor, zbiornik, "
        "procesor, warsztat, operator, technik, mechanik, majster, kucharz, malarz, murarz, hydraulik, "
        "elektryk, spawacz, spawarka, pilarka, strugarka, ploter, skaner, dźwig, suwnica, rampa, dok, "
        "laborant, aparat, przyrząd, wirówka, mikroskop, kocioł, mikser, wózek, węzeł, komputer, "
        "gilotyna, wtryskarka, laser, wycinarka, giętarka, automat, centrum, ciężarówka, pralka, "
        "suszarka, palnik, kuchenka, gabinet, tomograf, lekarz, zmiana, pokój, pojazd, osoba, zasób, "
        "walcarka, ogrodnik, programista, piekarz, sprzątaczka, krawiec, krawcowa, tłumacz, redaktor, "
        "pielęgniarka, dekarz, glazurnik, ślusarz, montażysta, grafik komputerowy, pompa, zgrzewarka, "
        "wypalarka, krosno, młyn, podnośnik, nożyca, piekarnik, stolarz, tynkarz, koparka, kombajn"
    ),
    "takes": (
        "trwać, zajmować, zająć, potrwać, zabierać, zabrać, mieć trwać, będzie trwać, powinien trwać|zająć, "
        "może trwać|zająć|zajmować, mieć czas trwania|wykonania|obróbki, o czas|czasie trwania, "
        "czas trwania to, o długości, ma zająć|trwać, wymagać czas"
    ),
    "needs": (
        "wymagać, potrzebować, zależeć od, czekać na, musieć czekać|poczekać|zaczekać na, zaczekać na, "
        "poczekać na, czekać aż, uzależniony od, zależny od, wymagać wcześniejszy|uprzedni"
    ),
    "duration": "czas trwania, czas obróbki, czas wykonania, czas|czasy, czas pracy, długość, czas realizacji",
    "each": "każdy, po kolei każdy, każdy z, każdy z nich, każdy z ten",
    "all": "wszystek, wszystkie, wszystkich, oba, obie, obydwa, obydwie, obaj, żaden, wszystkie te",
    "everything": (
        "wszystko, całość, cały projekt, cały harmonogram, cały plan, cała praca, całe prace, "
        "cała robota, cała partia, wszystkie prace, cały remont, wszyscy, całe zlecenie, cała produkcja"
    ),
    "others": "pozostały, reszta, inny, pozostałe, cała reszta, wszystek inny|pozostały",
    "after": (
        "zanim nie, po, dopiero po, tylko po, zaraz po, bezpośrednio po, po zakończenie|ukończenie|wykonanie, "
        "tuż po, od razu po, dopiero gdy|kiedy|jak, gdy, kiedy, jak tylko, aż, dopóki nie, "
        "następować po, musieć następować po, nie wcześniej niż po, najwcześniej po, "
        "wykonywać po, poprzedzony, być poprzedzony przez, dopiero po zakończenie|ukończenie, "
        "po tym jak, z chwilą, później niż, dopóty, musieć być poprzedzony, za"
    ),
    "before": (
        "przed, jeszcze przed, przed rozpoczęcie, wcześniej niż, zanim, "
        "przed zakończenie|ukończenie, nim"
    ),
    "follows": "następować po, iść po, przychodzić po",
    "precedes": (
        "poprzedzać, musieć poprzedzać, warunkować, umożliwiać, być warunkiem, blokować, "
        "być potrzebny do, być konieczny do, być niezbędny do, potrzebny do, niezbędny do, konieczny do"
    ),
    "then": (
        "potem, następnie, później, a potem, a następnie, a na koniec, na koniec, a na końcu, na końcu, "
        "wreszcie, dalej, w końcu, a później, i na koniec, oraz na koniec, a dopiero potem, "
        "dopiero potem, i dopiero potem, po czym, z kolei, a dopiero później"
    ),
    "only": "tylko, wyłącznie, jedynie, tylko i wyłącznie, nigdzie poza",
    "not": (
        "nie, nie móc, nie wolno, nie może być, nigdy, nie nadawać się, wykluczyć, oprócz na, ani, "
        "nie mieścić się, nie da się, nie można, nie obsługiwać, zabronić, każda|każdej maszyna poza, "
        "wszędzie poza|oprócz, na wszystkich poza|oprócz, niedozwolony, zakazany, wykluczony"
    ),
    "on": ("na, w, we, przy, u, za pomocą, przez, przy pomocy, do obsługi, z użyciem, pasować do"),
    "any": (
        "dowolny, dowolna maszyna, gdziekolwiek, obojętnie który, w dowolnej kolejności, każda maszyna, "
        "niezależny, niezależnie, identyczny, jednakowy, taki sam, obojętny, dowolna kolejność"
    ),
    "from": "zaczynać|zacząć o|od, otwierać o, od, począwszy od, poczynając od, między, pomiędzy, od godziny|godz, dołączać, dołączać od",
    "until": (
        "do, najpóźniej do, nie później niż do, aż do, w ciągu, przed upływem, najdalej do, "
        "nie później niż, nie dłużej niż do, przed końcem, do końca, nie po, w przeciągu, kończyć|skończyć o, zamykać o, gotowy na|o"
    ),
    "latest": (
        "najpóźniej, termin, termin do, deadline, z terminem, termin oddania, termin realizacji, "
        "termin wykonania, ostateczny termin, najdalej"
    ),
    "release": (
        "najwcześniej, nie wcześniej niż, dostępny od, dostępny po|o|dopiero, dostępny najwcześniej|dopiero od, "
        "przychodzić o|od|po|na|dopiero, przychodzić, przyjść, przyjść o, "
        "dotrzeć, docierać, gotowy do rozpoczęcia, można zacząć|rozpocząć, móc zacząć|ruszyć|rozpocząć się, móc zacząć|ruszyć|rozpocząć|wystartować, "
        "dostarczyć, przyjechać, przyjeżdżać, dopiero od, nie przed, pojawiać się, pojawić się, "
        "wpłynąć, wpływać, trafiać, trafić, zacząć można, dopiero o, zwolnić, można rozpocząć"
    ),
    "available": (
        "dostępny, pracować, czynny, działać, otwarty, obsadzony, funkcjonować, dyżurować, "
        "do dyspozycji, móc pracować, w ruchu, na chodzie, włączony, wolny, uruchomiony, "
        "dostępność, godzina praca, używać, korzystać, użytkowany, zmiana, godziny pracy, w godzinach"
    ),
    "break": (
        "przerwa, przerwa obiadowa, z przerwą, pauza, z wyjątkiem, oprócz, poza, wyłączając, "
        "z wyłączeniem, nieczynny, niedostępny, wyłączony, konserwacja, serwisowany, postój, "
        "zamknięty, obiad, z przerwą obiadową, przestój, stać"
    ),
    "allday": (
        "cała doba, całodobowo, cały dzień, dzień i noc, 24/7, 24 / 7, non stop, non-stop, przez całą dobę, "
        "na okrągło, okrągłą dobę, całą dobę, bez przerwy, 24 godziny na dobę, przez cały dzień, "
        "całodobowy, dniem i nocą, 24 h na dobę, całe 24 h, okrągła doba, nieprzerwanie"
    ),
    "always": (
        "zawsze, w dowolnym momencie, w dowolnym czasie, kiedykolwiek, bez ograniczeń, "
        "o dowolnej porze, cały czas, bez ograniczeń czasowych, w każdej chwili, stale, "
        "bez ograniczenia, nieograniczony, dowolnie, przez cały czas, w dowolnej chwili"
    ),
    "start": "start, rozpoczęcie, początek, początek plan|projekt|praca, teraz, chwila zero, rozpoczęcie praca",
    "and": "i, oraz, a, a także, jak również, jak i, plus, &, +, a jeszcze, tudzież, wraz z",
    "or": "lub, albo, bądź, czy",
    "for": "na, dla, przez",
    "in_unit": "w, podany w, wyrażony w, podać w",
    "earlier_first": "najpierw, wcześniej, uprzednio, w pierwszej kolejności, na początku, na początek",
    "also": "też, także, również, dodatkowo, jeszcze, ponadto",
    "workday": (
        "warsztat, zakład, piekarnia, firma, laboratorium, fabryka, dzień pracy, dzień roboczy, zmiana, "
        "pracownia, stolarnia, drukarnia, my, hala, szpital, przychodnia, kuchnia, serwis, biuro"
    ),
    "in_order": (
        "w tej kolejności, w podanej kolejności, w takiej kolejności, dokładnie w tej kolejności, "
        "w tej właśnie kolejności"
    ),
    "final": "jako ostatni, na samym końcu, na sam koniec, być ostatni",
    "initial": "jako pierwszy, na samym początku, być pierwszy",
    "immediate": "natychmiast, od razu, zaraz, bezpośrednio, niezwłocznie",
    "unsupported": (
        "tak samo jak, tak jak, te same godziny co, w tych samych godzinach co, podobnie jak, jednocześnie z, równocześnie z, w tym samym czasie co, przezbrojenie, czas przezbrojenia, "
        "priorytet, na tej samej maszynie, na różnych maszynach, ważony, waga, wagi, ta sama maszyna, "
        "równolegle z, przerywać, dzielić"
    ),
    "about": "około, ok, mniej więcej, circa, ca, w przybliżeniu, z grubsza",
    "bound": "co najmniej, co najwyżej, nie więcej niż, minimum, maksymalnie, nie dłużej niż, przynajmniej",
    "nextday": "następnego dnia, nazajutrz, kolejnego dnia, dnia następnego",
    "filler": (
        "być, mieć, móc, musieć, chcieć, trzeba, należy, można, powinien, zaplanować, zaplanuj, ułożyć, "
        "ułóż, harmonogram, plan, grafik, jest, są, mamy, mam, ma, mają, to, ten, ta, te, się, który, "
        "że, żeby, aby, tak, jak, już, jeszcze, dopiero, zrobić, robić, wykonać, wykonywać, zrobiony, "
        "wykonany, proszę, potrzebujemy, rozpocząć, zacząć, zaczynać, kończyć, zakończyć, skończyć, "
        "skończony, zakończony, gotowy, zakończenie, rozpoczęcie, ukończenie, ukończony, dziś, "
        "dzisiaj, jutro, możliwy, prosty, czyli, odpowiednio, razem, łącznie, nasz, mój, jego, jej, "
        "ich, swój, tam, tu, więc, bo, ponieważ, też, także, z, ze, o, dla, bez, nad, pod, u, "
        "zostać, brać, wziąć, przygotować, ustalić, rozplanować, rozpisać, dysponować, znaleźć, "
        "dysponujemy, kolejność, co, no, pan, my, wy, on, ona, ono, oni, one, obrabiać, "
        "przetwarzać, realizować, wolno, iść, odbywać, odbyć, realizowany, wykonywany, obrabiany, "
        "zaczynają, kolejno, startować, wystartować, ruszyć, nazwać, nazwa, równoległy"
    ),
}
"""Cue to its phrases."""

FUNCTION_WORDS: Final = frozenset(
    [
        "i",
        "w",
        "na",
        "z",
        "do",
        "od",
        "po",
        "przed",
        "dla",
        "oraz",
        "jest",
        "są",
        "się",
        "nie",
        "tylko",
        "musi",
        "muszą",
        "trwa",
        "trwają",
        "zadanie",
        "zadania",
        "zadań",
        "maszyna",
        "maszyny",
        "maszynach",
        "maszynę",
        "godzin",
        "godziny",
        "godzinę",
        "dni",
        "minut",
        "jak",
        "najkrótszy",
        "każde",
        "każda",
        "każdy",
        "wszystkie",
        "wszystko",
        "mamy",
        "trzeba",
        "należy",
        "dwa",
        "dwie",
        "trzy",
        "cztery",
        "pięć",
        "sześć",
        "dopiero",
        "potem",
        "następnie",
        "harmonogram",
        "zaplanuj",
        "ułóż",
        "przez",
        "który",
        "która",
        "całość",
        "może",
        "mogą",
        "to",
        "a",
        "o",
        "lub",
        "albo",
        "jednej",
        "dwóch",
        "trzech",
        "pół",
        "najpierw",
        "możliwie",
        "czas",
        "zależy",
        "aby",
        "żeby",
    ]
)
"""Words that vote for Polish."""
