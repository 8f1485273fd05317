# GDB plays the part of vmcheck's board: it boots a kernel on QEMU with the agent as /init, gives the agent's processes
# their orders, brings about what a finding needs (an allocation that fails, an interrupt, a second hart), and looks at
# the machine from outside. A finding's own script, N-....gdb, says what is to be done; this file how.
#
# A process of the agent that has nothing to do stands at one ecall, where GDB has a breakpoint. An order is put into
# its registers and it goes on behind the ecall; what it brings to the next one is the result. Who asks out of turn
# sleeps for a tick. Nothing of the kernel's own code and data is changed, but for a free list that is to be short.

import gdb
import os
import shlex
import signal
import threading

HYPERCALL, FRESH, SYSCALL = 0x766d63, 0x6672657368, 0  # impl/abi/agent_abi.h
RAM = 0x80000000
HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 10  # seconds without anything that stops the machine
BOOT = 60      # and until the first process is there: on a busy host a kernel may need as long for its free list
ROUNDS = 5     # how often others ask before a process counts as gone or asleep
FEW = 64       # pages that are mapped for a process, but not to it; xv6 has a guard, a trapframe and the trampoline
TURNS = 500    # how often a process that was interrupted is interrupted there again, for others to go on

# What became of an order, where it brought no number.
GONE, FRESH_IMAGE, SILENT = 'it does not go on', 'a fresh image starts', 'it does not end, and nothing else runs'

for setting in ('pagination off', 'confirm off', 'architecture riscv:rv64', 'stack-cache off', 'code-cache off'):
    gdb.execute('set ' + setting, to_string=True)


class Fail(Exception):
    """A correct kernel does not do that."""


class Stop(Exception):
    """Somebody wants to look around."""


def stop():
    raise Stop


class Cannot(Exception):
    """The machine did not come to where the finding is: nothing is known."""


def get(register):
    return int(gdb.parse_and_eval('(unsigned long)$' + register))


def put(register, value):
    gdb.execute('set $%s = %d' % (register, value & (1 << 64) - 1))


def where(address):
    """A place in the kernel as a reader knows it: uvmcopy + 84 at kernel/vm.c:318."""
    line = gdb.find_pc_line(address)
    symbol = gdb.execute('info symbol %d' % address, to_string=True).split(' in section')[0]
    return symbol + (' at %s:%d' % (line.symtab.filename, line.line) if line.symtab and line.line else '')


def kernel(symbol, offset=0):
    """An address in the kernel."""
    return int(gdb.parse_and_eval("(unsigned long)&'%s'" % symbol)) + offset


def stop_at(address):
    place = gdb.Breakpoint('*%d' % address, internal=True)
    place.silent = True
    return place


class Physical:
    """Memory by physical address, while it lasts."""

    def __enter__(self):
        gdb.execute('maintenance packet Qqemu.PhyMemMode:1', to_string=True)
        return lambda at, size=8: int.from_bytes(gdb.selected_inferior().read_memory(at, size), 'little')

    def __exit__(self, *_):
        gdb.execute('maintenance packet Qqemu.PhyMemMode:0', to_string=True)


class Process:
    def __init__(self):
        self.satp = self.hart = self.tag = self.pid = 0
        self.standing = False  # at its ecall, its hart being stopped there
        self.at_work = False
        self.result = None     # of the order that it was at work on


class Machine:
    def __init__(self, qemu, ask, sleep, panic, allocate, free_lists, ram):
        self.ask, self.sleep, self.panic, self.allocate = ask, sleep, panic, allocate
        self.free_lists, self.counts, self.ram = free_lists, None, ram
        self.locked = False
        self.panics = False  # whether that is what is wrong
        self.agents, self.children, self.restarting = {}, {}, None
        self.failing, self.place, self.passes = 0, None, 0
        self.held = None
        image = shlex.quote(gdb.current_progspace().filename)
        disk = shlex.quote(os.path.join(HERE, 'vmcheck.img').replace(',', ',,'))
        gdb.execute('target remote | exec ' + qemu.replace('{kernel}', image).replace('{disk}', disk), to_string=True)
        for address in (ask, panic):
            if address is not None:
                stop_at(address)
        if self.next(BOOT) != 'asks':
            raise Cannot('the kernel does not come to run a program')
        first = self.christen(0)
        first.hart, first.standing = gdb.selected_thread().num, True

    # ---- the machine runs

    def next(self, patience=PATIENCE):
        """Until an agent asks or the place is reached; 'asks', 'there', or None where nothing comes any more."""
        while True:
            # A hart alone may wait for a lock that another one has: then both go on soon.
            alarm = threading.Timer(patience / 4 if self.locked else patience, os.kill, (os.getpid(), signal.SIGINT))
            alarm.daemon = True
            alarm.start()
            try:
                gdb.execute('continue', to_string=True)
            except KeyboardInterrupt:
                pass
            alarm.cancel()
            pc = get('pc')
            if pc == self.panic:
                if self.panics:
                    raise Fail('the kernel panics' + self.message())
                raise Cannot('on QEMU the kernel panics%s, which it did not on the board' % self.message())
            if pc == self.ask and get('a7') == HYPERCALL:
                return 'asks'
            if pc == self.ask:
                continue  # xv6's first program lies there before the agent does
            if self.held and pc == self.held.at and (pc != self.place or self.held.is_here()):
                if self.held.is_here() and self.held.turns > 0:
                    self.held.turns -= 1
                    self.interrupt()
                continue
            if pc == self.place:
                self.passes -= 1
                if self.passes == 0:
                    return 'there'
            elif self.failing and pc == self.allocate:
                self.allocation()
            else:
                return None

    def message(self):
        try:
            return ': ' + gdb.parse_and_eval('(char *)$a0').string(errors='replace').strip()
        except gdb.error:
            return ''

    def allocation(self):
        self.failing -= 1
        if self.failing == 0:
            print('    the allocator returns 0 to', where(get('ra') - 1))
            put('a0', 0)
            put('pc', get('ra'))
            self.at_allocation.delete()

    def christen(self, number):
        agent = self.agents.setdefault(number, Process())
        agent.satp, agent.tag = get('satp'), 0x766d00000001 + number
        put('s11', agent.tag)
        return agent

    def who(self):
        """The agent that asks; its result is noted."""
        tag, value, agent = get('s11'), get('a0'), None
        for parent, child in list(self.children.items()):
            if tag == self.agents[parent].tag and get('satp') != self.agents[parent].satp:
                if value != 0:
                    raise Fail("the child of p%d's fork comes back with %#x in a0, and not 0" % (parent, value))
                del self.children[parent]
                agent = self.christen(child)
        if agent is None and value == FRESH and self.restarting is not None:
            agent, value, self.restarting = self.christen(self.restarting), FRESH_IMAGE, None
        for each in self.agents.values():
            if agent is None and each.tag == tag:
                agent = each
        if agent is None:
            raise Fail('a process comes back with other registers: s11 is %#x' % tag)
        agent.hart, agent.standing = gdb.selected_thread().num, True
        if agent.at_work:
            agent.at_work, agent.result = False, value
        return agent

    def until(self, is_over, rounds):
        """Agents ask, and sleep for a tick, until one is there for whom is_over(); None where none comes."""
        for _ in range(rounds):
            what = self.next()
            if what != 'asks':
                return what
            agent = self.who()
            if is_over(agent):
                return agent
            self.tell(agent, SYSCALL, self.sleep, 1)
        return 'others'

    def tell(self, agent, kind, a7=0, a0=0, a1=0, a2=0):
        agent.standing = False
        for register, value in (('t0', kind), ('a7', a7), ('a0', a0), ('a1', a1), ('a2', a2), ('pc', self.ask + 4)):
            put(register, value)

    def turn_to(self, hart):
        next(each for each in gdb.selected_inferior().threads() if each.num == hart).switch()
        # Whom QEMU names when it is stopped by hand: one that GDB has told to run.
        gdb.execute('maintenance packet Hcp1.%d' % hart, to_string=True)

    def dismiss(self, but=None):
        """Who stands at its ecall sleeps, so that the machine can run."""
        for agent in self.agents.values():
            if agent.standing and agent is not but:
                self.turn_to(agent.hart)
                self.tell(agent, SYSCALL, self.sleep, 1)

    def bring(self, number):
        if number not in self.agents:
            raise Cannot('p%d never came up' % number)
        agent = self.agents[number]
        if agent.standing:
            self.turn_to(agent.hart)
            return agent
        if not self.locked:
            self.dismiss()
        if self.until(lambda each: each is agent, 10 * ROUNDS) is not agent:
            raise Fail('p%d gets no turn any more' % number)
        return agent

    def lock(self, on):
        self.locked = on
        gdb.execute('set scheduler-locking ' + ('on' if on else 'off'), to_string=True)

    def side_by_side(self, first, second):
        """Both stand at their ecalls, on a hart each; from now on only the hart that is turned to runs."""
        pair = [self.agents[first], self.agents[second]]
        self.dismiss()
        # The first hart keeps the time: when it is interrupted all wake, and one of the two goes on there.
        self.until(lambda each: each in pair and each.hart == 1, 20 * ROUNDS)
        self.lock(True)
        for _ in range(ROUNDS):
            self.turn_to(1)
            held = self.interrupt_until(pair)
            self.turn_to(2)
            # The second hart may have been about to put the other to sleep, for which it takes one more interrupt.
            if self.interrupt_until([each for each in pair if each is not held], asks=False) not in (None, held):
                return
        raise Cannot('the two processes do not come to run on two harts')

    def interrupt_until(self, wanted, asks=True):
        """The present hart runs, whoever asks there being interrupted, until one of these asks. asks: somebody does."""
        for _ in range(8 * ROUNDS):
            if asks:
                self.interrupt()
            if self.next() != 'asks':
                return None
            agent, asks = self.who(), True
            if agent in wanted:
                return agent
            agent.standing = False
        return None

    # ---- orders

    def begin(self, number, kind, a7=0, a0=0, a1=0, a2=0, oom=0, child=None, restarts=False, at=None, passes=1,
              interrupt=False):
        """An order. oom: which allocation from here on fails. child: whom a fork makes. restarts: by exec. at: where
        in the kernel it is stopped, the passes-th time that it comes there; interrupt: by the timer."""
        agent = self.bring(number)
        if oom:
            self.failing = oom
            self.at_allocation = stop_at(self.allocate)
        if child is not None:
            self.children[number] = child
        if restarts:
            self.restarting = number
        agent.at_work, agent.result = True, None
        self.tell(agent, kind, a7, a0, a1, a2)
        if at is not None:
            self.come_to(agent, at, passes)
            if interrupt:
                self.held = Held(number, at)
                self.interrupt()

    def come_to(self, agent, at, passes):
        self.place, self.passes = at, passes
        there = stop_at(at)
        what = self.until(lambda each: each is agent, 10 * ROUNDS)
        there.delete()
        self.place = None
        if what != 'there':
            raise Cannot('it does not come to %s' % where(at))
        print('    stopped in', where(at))

    def interrupt(self):
        """The timer interrupt, as a hart takes it (privileged spec, "Supervisor Trap-Related CSRs")."""
        status, by_stimecmp = get('sstatus'), get('menvcfg') >> 63
        if get('priv') and not status & 2:
            raise Cannot('interrupts are off in %s' % where(get('pc')))
        put('sepc', get('pc'))
        put('scause', 1 << 63 | (5 if by_stimecmp else 1))
        put('stval', 0)
        put('sstatus', status & ~(1 << 1 | 1 << 5 | 1 << 8) | (status >> 1 & 1) << 5 | (get('priv') & 1) << 8)
        put('priv', 1)
        put('pc', get('stvec') & ~3)

    def finish(self, number):
        """What became of its order."""
        agent = self.agents[number]
        if self.held and self.held.number == number:
            self.held.breakpoint.delete()
            self.held = None
        if agent.at_work:
            if self.locked:
                self.turn_to(agent.hart)
            else:
                self.dismiss()
            what = self.until(lambda each: each is agent, 8 * ROUNDS)
            if what is None and self.locked:
                # It waits for a lock that the other has, which goes on, and then this one.
                for other in [each for each in self.agents.values() if each.at_work and each is not agent]:
                    self.turn_to(other.hart)
                    self.until(lambda each: each is other, 8 * ROUNDS)
                self.turn_to(agent.hart)
                what = self.until(lambda each: each is agent, 8 * ROUNDS)
            if what is None and self.locked:
                self.lock(False)
                self.dismiss()
                what = self.until(lambda each: each is agent, 8 * ROUNDS)
            if agent.at_work:
                agent.at_work, agent.result = False, GONE if what == 'others' else SILENT
        if self.locked and not any(each.at_work for each in self.agents.values()):
            self.dismiss()
            self.lock(False)
        # Where another hart is held it goes on first: it may be what takes the child away.
        for parent, child in [] if self.locked else list(self.children.items()):
            if self.agents[parent].at_work:
                continue
            result = self.agents[parent].result
            if isinstance(result, int) and 0 < result < 1 << 31:
                self.dismiss()
                self.until(lambda each: child in self.agents, 8 * ROUNDS)
                if child not in self.agents:
                    raise Fail('the child p%d never runs' % child)
            self.children.pop(parent, None)
        return agent.result

    def order(self, number, *arguments, **more):
        self.begin(number, *arguments, **more)
        return self.finish(number)

    def collects(self, parent, child, wait):
        """Whether the parent's waits, with that system call, come to that child."""
        for _ in self.agents:
            pid = self.order(parent, SYSCALL, wait)
            if pid == self.pid(child):
                return True
            if not isinstance(pid, int) or pid >> 63:
                break
        return False

    def is_gone(self, number):
        """Whether the process asks no more."""
        agent = self.agents[number]
        if agent.standing:
            self.turn_to(agent.hart)
        self.dismiss()
        return self.until(lambda each: each is agent, 2 * ROUNDS) is not agent

    def living(self):
        """Those that ask when they may: the page table of one that has ended may be another's by now."""
        self.dismiss()
        asked = set()
        for _ in range(4 * len(self.agents)):
            if self.next() != 'asks':
                break
            agent = self.who()
            asked.add(agent)
            self.tell(agent, SYSCALL, self.sleep, 1)
        return [number for number, agent in self.agents.items() if agent in asked]

    # ---- memory

    def walk(self, number):
        """Its page table: (level, virtual address, physical address, flags) of each valid entry."""
        root = (self.agents[number].satp & (1 << 44) - 1) << 12
        found, todo = [], [(root, 2, 0)]
        with Physical() as read:
            while todo:
                table, level, start = todo.pop()
                entries = read(table, 4096)
                for i in range(512):
                    entry = entries >> 64 * i & (1 << 64) - 1
                    at, to = start + (i << 12 + 9 * level), (entry >> 10 & (1 << 44) - 1) << 12
                    if entry & 1:
                        found.append((level, at, to, entry & 0x3ff))
                        if level and not entry & 0xe and 0 <= to - RAM < self.ram:
                            todo.append((to, level - 1, at))
        return found

    def pages(self, number):
        """{virtual address: (physical address, flags)}"""
        return {at: (to, flags) for level, at, to, flags in self.walk(number) if level == 0}

    def tables(self, number):
        return [(self.agents[number].satp & (1 << 44) - 1) << 12] + [
            to for level, _, to, _ in self.walk(number) if level > 0]

    def page(self, number, address):
        return self.pages(number).get(address & ~4095)

    def byte(self, number, address):
        page = self.page(number, address)
        if page is None or not 0 <= page[0] - RAM < self.ram:
            return None
        with Physical() as read:
            return read(page[0] + (address & 4095), 1)

    def rights(self, number, address):
        """As in RW-U; empty where the user may do nothing there."""
        page = self.page(number, address)
        if page is None or not page[1] & 0x10:
            return ''
        return ''.join(letter if page[1] & bit else '-' for bit, letter in ((2, 'R'), (4, 'W'), (8, 'X'), (16, 'U')))

    def users(self, number, address):
        """All user pages that map the same frame, as (process, virtual address)."""
        page = self.page(number, address)
        return [(each, at) for each in self.living() for at, (frame, flags) in self.pages(each).items()
                if page and frame == page[0] and flags & 0x10]

    def count(self, number, address):
        """The kernel's own count of the page's frame, where one reference reads 1."""
        page, counts = self.page(number, address), self.counts
        if page is None:
            return None
        with Physical() as read:
            base = counts.base if counts.behind is None else read(counts.base) + counts.behind
            raw = read(base + ((page[0] >> 12) - counts.first) * counts.stride, counts.bytes)
        if counts.signed and raw >> 8 * counts.bytes - 1:
            raw -= 1 << 8 * counts.bytes
        return raw - counts.one + 1

    def free(self):
        """The frames on the free lists; None stands for what is none."""
        found = []
        with Physical() as read:
            for head in self.free_lists:
                at, seen = read(head), set()
                while at:
                    if at in seen or at & 4095 or not 0 <= at - RAM < self.ram:
                        return found + [None]
                    seen.add(at)
                    at = read(at)
                found += seen
        return found

    def is_sound(self):
        """No frame is free and in use, none is a page table and something else, and the free list is a list."""
        living = self.living()
        free = self.free()
        tables = [table for number in living for table in self.tables(number)]
        memory = {to for number in living for to in self.held_by(number)}
        sound = None not in free and len(set(free)) == len(free) and len(set(tables)) == len(tables)
        return sound and not set(free) & (memory | set(tables)) and not memory & set(tables)

    def held_by(self, number):
        """The frames that it has: its own, and the few that are mapped for it but not to it, a guard page, say; not
        where a kernel has mapped all memory there for itself, at the same addresses or others."""
        pages = self.pages(number)
        users = {to for to, flags in pages.values() if flags & 0x10}
        others = {to for at, (to, flags) in pages.items() if not flags & 0x10 and at != to}
        return users | others if len(others) <= FEW else users

    def leave_free(self, frames):
        """So many frames are free from now on; the others are nobody's."""
        at = self.free_lists[0]
        with Physical() as read:
            for _ in range(frames):
                at = read(at)
            gdb.selected_inferior().write_memory(at, bytes(8))

    def pid(self, number):
        return self.agents[number].pid


class Held:
    """A process that was interrupted there, and goes on when it is to finish: what others wait for may take longer here
    than on the board, a disk, say."""

    def __init__(self, number, at):
        self.number, self.at, self.turns, self.breakpoint = number, at, TURNS, stop_at(at)
        self.whose = get('sp'), get('satp')

    def is_here(self):
        return (get('sp'), get('satp')) == self.whose


class Counts:
    """The kernel's reference counts: an array, or one behind a pointer."""

    def __init__(self, base, bytes, stride, signed, behind, first, one):
        self.base, self.bytes, self.stride, self.signed = base, bytes, stride, signed
        self.behind, self.first, self.one = behind, first, one


def words(result):
    if isinstance(result, int):
        return 'it gives %s' % (result - (1 << 64) if result >> 63 else hex(result) if result > 4096 else result)
    return str(result)


def expect(result, allowed, what, returned=False):
    """allowed: numbers, ranges of them, and what else may become of an order. returned: on the board something did."""
    if returned and result in (GONE, SILENT):
        raise Cannot('on QEMU %s' % result)
    for each in allowed:
        if each == result or isinstance(each, range) and isinstance(result, int) and result in each:
            return
    raise Fail('%s; %s' % (what, words(result)))


def check(holds, what):
    if not holds:
        raise Fail(what)


def proof(play):
    """Plays the finding and prints what came of it: FAIL, PASS, or that it could not be played."""
    try:
        play()
        print('PASS')
    except Fail as why:
        print('FAIL:', why)
    except (Cannot, gdb.error) as why:
        print('cannot be shown:', why)
    except Stop:
        return
    try:
        gdb.execute('kill', to_string=True)
    except gdb.error:
        pass  # QEMU was faster
