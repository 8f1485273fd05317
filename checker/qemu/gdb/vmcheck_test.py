#!/usr/bin/env python3
"""How vmcheck.py tells processes apart and what it finds in a machine, without GDB and QEMU."""

import sys
import types
import unittest

registers = {}
sys.modules["gdb"] = types.SimpleNamespace(
    execute=lambda *_, **__: None, error=RuntimeError, selected_thread=lambda: types.SimpleNamespace(num=1))
import vmcheck  # after the module that it imports

vmcheck.get = registers.__getitem__
vmcheck.put = registers.__setitem__


class PlayerTest(unittest.TestCase):
    def setUp(self):
        vmcheck.gdb.execute = lambda *_, **__: None
        self.machine = vmcheck.Machine.__new__(vmcheck.Machine)
        self.machine.agents, self.machine.children, self.machine.restarting = {}, {}, None
        self.machine.locked, self.machine.held = False, None
        registers.update(satp=100, s11=0, a0=0)
        self.parent = self.machine.christen(0)

    def asks(self, satp, a0):
        registers.update(satp=satp, s11=self.parent.tag, a0=a0)
        return self.machine.who()

    def test_a_child_is_who_comes_back_with_its_parents_registers_and_0(self):
        self.machine.children[0] = 1
        self.assertIs(self.asks(100, 2), self.parent)
        self.assertIs(self.asks(200, 0), self.machine.agents[1])

    def test_a_child_that_does_not_get_0_is_wrong(self):
        self.machine.children[0] = 1
        with self.assertRaises(vmcheck.Fail):
            self.asks(200, 2)

    def test_a_child_is_looked_for_when_no_hart_is_held_any_more(self):
        looked = []
        self.machine.until = lambda *_: looked.append(True)
        self.machine.dismiss = lambda: None
        self.machine.agents[1] = vmcheck.Process()
        self.machine.children[0], self.parent.result = 3, 4
        self.machine.agents[1].at_work = self.machine.locked = True
        self.assertEqual(self.machine.finish(0), 4)
        self.assertEqual(looked, [])
        self.machine.agents[1].at_work = False
        with self.assertRaises(vmcheck.Fail):
            self.machine.finish(1)
        self.assertEqual(looked, [True])

    def test_who_was_interrupted_somewhere_is_interrupted_there_again(self):
        took, stops = [], iter([(0x8000, 7), (0x8000, 8), (0x8000, 7), (0x1c, 7)])

        def go_on(command, **_):
            if command == "continue":
                registers["pc"], registers["sp"] = next(stops)

        vmcheck.gdb.execute = go_on
        vmcheck.stop_at = lambda at: None
        registers.update(sp=7, a7=vmcheck.HYPERCALL)
        self.machine.interrupt = lambda: took.append(registers["pc"])
        self.machine.ask, self.machine.panic, self.machine.place, self.machine.failing = 0x1c, 0, None, 0
        self.machine.held = vmcheck.Held(0, 0x8000)
        self.assertEqual(self.machine.next(), "asks")
        self.assertEqual(took, [0x8000, 0x8000], "and whoever else comes there is not")

    def sound(self, at, to, flags, free, pages=1):
        self.machine.living = lambda: [0]
        self.machine.walk = lambda _: [(0, at + (i << 12), to + (i << 12), flags) for i in range(pages)]
        self.machine.free = lambda: free
        return self.machine.is_sound()

    def test_no_page_of_a_process_may_be_free_not_even_the_guard(self):
        self.assertFalse(self.sound(0x5000, 0x87000000, 0xd7, [0x87000000]))
        self.assertFalse(self.sound(0x5000, 0x87000000, 0xc7, [0x87000000]))
        self.assertTrue(self.sound(0x5000, 0x87000000, 0xc7, [0x87001000]))

    def test_what_a_kernel_maps_for_itself_may_be(self):
        self.assertTrue(self.sound(0x87000000, 0x87000000, 0xc7, [0x87000000]))
        self.assertTrue(self.sound(0x2000000000, 0x86000000, 0xc7, [0x87000000], pages=0x2000))


if __name__ == "__main__":
    unittest.main()
