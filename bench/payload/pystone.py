# The classic mix of a synthetic interpreter benchmark: records, procedures, strings, arrays, globals. Own code.
import sys


class Record:
    __slots__ = ("link", "kind", "component", "number", "text")

    def __init__(self, link=None, kind=0, component=0, number=0, text=""):
        self.link, self.kind, self.component, self.number, self.text = link, kind, component, number, text

    def copy(self):
        return Record(self.link, self.kind, self.component, self.number, self.text)


FIRST, SECOND, THIRD, FOURTH = range(1, 5)
count = 0
flag = False
letter_one = letter_two = "A"
row = [0] * 51
table = [row[:] for _ in range(51)]


def proc_record(record):
    following = record.link = top.copy()
    record.number = 5
    following.number = record.number
    following.link = proc_link(record.link)
    if following.kind == FIRST:
        following.number = 6
        following.component = pick(record.component)
        following.link = top.link
        following.number = add(following.number, 10)
    else:
        record = following.copy()
    following.link = None
    return record


def proc_link(link):
    if letter_one == "A":
        return link.link
    return link


def add(a, b):
    return a + b + 2


def pick(value):
    if value == FIRST:
        return FIRST
    if value == SECOND:
        return FIRST if count > 100 else FOURTH
    if value == THIRD:
        return SECOND
    return THIRD


def arrays(one, two, a, b):
    global count
    at = a + 5
    one[at] = b
    one[at + 1] = one[at]
    one[at + 30] = at
    for i in range(at, at + 2):
        two[at][i] = at
    two[at][at - 1] += 1
    two[at + 20][at] = one[at]
    count = 5


def same(a, b):
    return SECOND if a == b else FIRST


def strings(a, b):
    at, letter = 1, ""
    while at <= 1:
        if same(a[at], b[at + 1]) == FIRST:
            letter = "A"
            at += 1
    if "W" <= letter <= "Z":
        at = 7
    if letter == "X":
        return True
    return at > 1 if a > b else False


def main(loops):
    global top, letter_one, letter_two, flag
    checksum = 0
    spare = Record()
    top = Record(spare, FIRST, THIRD, 40, "PROGRAM, SOME STRING")
    text = "PROGRAM, 1'ST STRING"
    table[8][7] = 10
    words = {}
    for i in range(loops):
        letter_one, letter_two, flag = "A", "B", letter_one == "A"
        a, b = 2, 3
        other = f"PROGRAM, {i % 7}'ND STRING"
        kind = SECOND
        flag = not strings(text, other)
        while a < b:
            c = 5 * a - b
            c = add(a, b)
            a += 1
        arrays(row, table, a, c)
        proc_record(top)
        letter = "A"
        while letter <= letter_two:
            if kind == same(letter, "C"):
                kind = pick(FIRST)
            letter = chr(ord(letter) + 1)
        b = c * a
        a = b // c
        b = 7 * (b - c) - a
        words[other] = words.get(other, 0) + a
        checksum = (checksum * 31 + a + b + kind + flag + len(words) + top.link.number) & 0xFFFFFFFF
    print(checksum, sorted(words.items()))


main(int(sys.argv[1]))
