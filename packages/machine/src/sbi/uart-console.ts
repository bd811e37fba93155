/** The debug console on the serial port, through its registers as firmware on this platform does it. */
import type { MmioDevice } from "../bus.ts";
import type { SbiConsole } from "./host.ts";

const DATA = 0;
const LINE_CONTROL = 3;
const LINE_STATUS = 5;
const DIVISOR_ACCESS = 0x80;
const DATA_READY = 0x01;
const HOLDING_EMPTY = 0x20;

/** A console on an NS16550A. It takes nothing while the guest's driver sets the baud rate, or the host holds output back. */
export function uartConsole(uart: MmioDevice): SbiConsole {
  const usable = () => (uart.read(LINE_CONTROL, 1) & DIVISOR_ACCESS) === 0;
  const has = (status: number) => (uart.read(LINE_STATUS, 1) & status) !== 0;
  return {
    write(bytes) {
      let taken = 0;
      if (!usable()) return taken;
      while (taken < bytes.length && has(HOLDING_EMPTY)) uart.write(DATA, 1, bytes[taken++]);
      return taken;
    },
    read(limit) {
      const bytes: number[] = [];
      if (!usable()) return Uint8Array.from(bytes);
      while (bytes.length < limit && has(DATA_READY)) bytes.push(uart.read(DATA, 1));
      return Uint8Array.from(bytes);
    },
  };
}
