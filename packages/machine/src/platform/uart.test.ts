import assert from "node:assert/strict";
import { test } from "node:test";
import { Uart } from "./uart.ts";

const [DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7];
const FCR = IIR;

function machine() {
  const seen = { level: false, output: "", room: 0, batches: 0 };
  const uart = new Uart(
    { set: (level) => (seen.level = level) },
    {
      output: (bytes) => {
        seen.output += new TextDecoder().decode(bytes);
        seen.batches++;
      },
      onRoom: () => seen.room++,
    },
  );
  const send = (text: string) => {
    for (const byte of new TextEncoder().encode(text)) uart.write(DATA, 1, byte);
  };
  const take = () => {
    let text = "";
    while ((uart.read(LSR) & 1) !== 0) text += String.fromCharCode(uart.read(DATA));
    return text;
  };
  const receive = (text: string) => uart.receive(new TextEncoder().encode(text));
  return { uart, seen, send, take, receive };
}

test("output: reaches the host in one batch per flush", () => {
  const { uart, seen, send } = machine();
  send("hello, ");
  send("world");
  assert.equal(seen.output, "");
  uart.flush();
  uart.flush();
  assert.deepEqual([seen.output, seen.batches], ["hello, world", 1]);
});

test("pause: the transmitter is busy when the buffer is full, nothing before that is lost, resume raises THRE", () => {
  const { uart, seen, send } = machine();
  uart.write(IER, 1, 2);
  uart.read(IIR);
  uart.pause();
  let sent = 0;
  while ((uart.read(LSR) & 0x20) !== 0) {
    send("x".repeat(16));
    sent += 16;
    assert.ok(sent <= 1 << 20);
  }
  assert.equal(seen.level, false);
  send("y".repeat(100_000));
  uart.resume();
  assert.equal(seen.output.slice(0, sent), "x".repeat(sent));
  assert.ok(seen.output.length < sent + 100);
  assert.equal(uart.read(LSR) & 0x60, 0x60);
  assert.equal(seen.level, true);
});

test("receive: takes what the FIFO holds and tells when there is room again", () => {
  const { uart, seen, take, receive } = machine();
  assert.equal(receive("ab"), 1);
  assert.equal(take(), "a");
  assert.equal(seen.room, 1);
  uart.write(FCR, 1, 1);
  assert.equal(receive("0123456789abcdefgh"), 16);
  assert.equal(uart.read(DATA), 0x30);
  assert.equal(seen.room, 1);
  assert.equal(take(), "123456789abcdef");
  assert.equal(seen.room, 2);
});

test("iir: receive timeout below the trigger level, receive data from it on, and priority over the transmitter", () => {
  const { uart, seen, take, receive } = machine();
  uart.write(FCR, 1, 0x81);
  uart.write(IER, 1, 3);
  assert.equal(uart.read(IIR), 0xc2);
  receive("abc");
  assert.equal(uart.read(IIR), 0xcc);
  receive("defgh");
  assert.equal(uart.read(IIR), 0xc4);
  assert.equal(seen.level, true);
  assert.equal(take(), "abcdefgh");
  assert.equal(uart.read(IIR), 0xc1);
  assert.equal(seen.level, false);
});

test("iir: the transmitter interrupt comes on enabling and after each byte, and goes on reading", () => {
  const { uart, seen, send } = machine();
  uart.write(IER, 1, 2);
  assert.equal(seen.level, true);
  assert.equal(uart.read(IIR) & 0x0f, 2);
  assert.equal(uart.read(IIR) & 0x0f, 1);
  uart.write(IER, 1, 2);
  assert.equal(seen.level, false);
  uart.write(IER, 1, 0);
  uart.write(IER, 1, 2);
  assert.equal(uart.read(IIR) & 0x0f, 2);
  send("x");
  assert.equal(uart.read(IIR) & 0x0f, 2);
  assert.equal(seen.level, false);
});

test("mcr: loopback shows the modem outputs as inputs and returns bytes, not input", () => {
  const { uart, seen, take, receive, send } = machine();
  assert.equal(uart.read(MSR), 0xb0);
  uart.write(MCR, 1, 0x1a);
  assert.equal(uart.read(MSR) & 0xf0, 0x90);
  assert.equal(uart.read(MSR) & 0x0f, 0);
  assert.equal(receive("no"), 0);
  send("a");
  assert.equal(take(), "a");
  send("bc");
  assert.equal(uart.read(LSR) & 2, 2);
  assert.equal(uart.read(LSR) & 2, 0);
  assert.equal(take(), "b");
  uart.flush();
  assert.equal(seen.output, "");
  uart.write(MCR, 1, 0);
  assert.equal(seen.room, 1);
});

test("iir: overrun and modem changes interrupt when enabled and are cleared by reading their registers", () => {
  const { uart, seen, send } = machine();
  uart.write(IER, 1, 0x0c);
  uart.write(MCR, 1, 0x1e);
  assert.equal(uart.read(IIR) & 0x0f, 0);
  assert.equal(uart.read(MSR), 0xd2);
  assert.equal(seen.level, false);
  uart.write(MCR, 1, 0x1a);
  assert.equal(uart.read(MSR), 0x94);
  send("ab");
  assert.equal(uart.read(IIR) & 0x0f, 6);
  uart.read(LSR);
  assert.equal(seen.level, false);
});

test("lcr: DLAB shows the divisor in place of data and IER", () => {
  const { uart, seen } = machine();
  uart.write(IER, 1, 5);
  uart.write(LCR, 1, 0x83);
  uart.write(DATA, 1, 0x34);
  uart.write(IER, 1, 0x12);
  assert.deepEqual([uart.read(DATA), uart.read(IER)], [0x34, 0x12]);
  uart.write(LCR, 1, 0x03);
  assert.deepEqual([uart.read(IER), uart.read(LCR)], [5, 3]);
  uart.flush();
  assert.equal(seen.output, "");
});

test("autoconfig: the probes of Linux's 8250 driver find a 16550A", () => {
  const { uart } = machine();
  uart.write(IER, 1, 0);
  assert.equal(uart.read(IER), 0);
  uart.write(IER, 1, 0x0f);
  assert.equal(uart.read(IER), 0x0f);
  uart.write(IER, 1, 0x40);
  assert.equal(uart.read(IER), 0);
  uart.write(SCR, 1, 0xa5);
  assert.equal(uart.read(SCR), 0xa5);
  uart.write(FCR, 1, 1);
  assert.equal(uart.read(IIR) >> 6, 3);
  uart.write(FCR, 1, 0x21);
  assert.equal(uart.read(IIR) >> 5, 6);
});

test("fcr: resetting the receiver or switching FIFOs empties it", () => {
  const { uart, take, receive } = machine();
  uart.write(FCR, 1, 1);
  receive("abc");
  uart.write(FCR, 1, 3);
  assert.equal(take(), "");
  receive("abc");
  uart.write(FCR, 1, 0);
  assert.equal(take(), "");
});

test("save: a restored UART has the same registers and input", () => {
  const first = machine();
  first.uart.write(FCR, 1, 1);
  first.uart.write(IER, 1, 1);
  first.receive("abc");
  const second = machine();
  second.uart.restore(first.uart.save());
  assert.equal(second.seen.level, true);
  assert.equal(second.take(), "abc");
  assert.equal(first.take(), "abc");
});
