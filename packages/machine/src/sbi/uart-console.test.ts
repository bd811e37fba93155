import assert from "node:assert/strict";
import { test } from "node:test";
import { Uart } from "../platform/uart.ts";
import { uartConsole } from "./uart-console.ts";

const LINE_CONTROL = 3;

function uartWithOutput(): { uart: Uart; output: () => string } {
  let text = "";
  const uart = new Uart(
    { set: () => {} },
    {
      output: (bytes) => {
        text += new TextDecoder().decode(bytes);
      },
    },
  );
  return { uart, output: () => text };
}

test("uartConsole: bytes leave through the serial port in order with the driver's", () => {
  const { uart, output } = uartWithOutput();
  const console = uartConsole(uart);
  uart.write(0, 1, 0x61);
  assert.equal(console.write(new TextEncoder().encode("bc")), 2);
  uart.write(0, 1, 0x64);
  uart.flush();
  assert.equal(output(), "abcd");
});

test("uartConsole: takes no more than the port has room for", () => {
  const { uart } = uartWithOutput();
  uart.pause();
  const taken = uartConsole(uart).write(new Uint8Array(1024 * 1024));
  assert.ok(taken > 0 && taken < 64 * 1024);
  assert.equal(uartConsole(uart).write(Uint8Array.of(1)), 0);
});

test("uartConsole: reads what the port has received, up to the limit", () => {
  const { uart } = uartWithOutput();
  const console = uartConsole(uart);
  uart.write(2, 1, 1);
  assert.equal(uart.receive(Uint8Array.of(1, 2, 3)), 3);
  assert.deepEqual([...console.read(2)], [1, 2]);
  assert.deepEqual([...console.read(9)], [3]);
  assert.deepEqual([...console.read(9)], []);
});

test("uartConsole: keeps away from the port while its divisor is being set", () => {
  const { uart } = uartWithOutput();
  const console = uartConsole(uart);
  uart.write(LINE_CONTROL, 1, 0x80);
  const divisor = uart.read(0);
  assert.equal(console.write(Uint8Array.of(7)), 0);
  assert.equal(console.read(1).length, 0);
  assert.equal(uart.read(0), divisor);
});
