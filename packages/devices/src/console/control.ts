/**
 * Messages of the control queues: which port, what happened, a value, sometimes more.
 * @spec virtio "Console Device" "Multiport Device Operation"
 */
import type { Port } from "./ports.ts";

export const CONTROL_BYTES = 8;

/** @spec virtio "Multiport Device Operation" */
export const ControlEvent = {
  deviceReady: 0,
  portAdd: 1,
  portReady: 3,
  consolePort: 4,
  resize: 5,
  portOpen: 6,
  portName: 7,
} as const;

/** Events that the device sends, in the order in which a driver must see them. */
export const outgoing = ["portAdd", "consolePort", "resize", "portName", "portOpen"] as const;
export type Outgoing = (typeof outgoing)[number];

export interface ControlMessage {
  readonly port: number;
  readonly event: number;
  readonly value: number;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export function parseControl(bytes: Uint8Array<ArrayBuffer>): ControlMessage {
  const view = new DataView(bytes.buffer);
  return { port: view.getUint32(0, true), event: view.getUint16(4, true), value: view.getUint16(6, true) };
}

/** The bytes of a message as things are now: what happened in between does not have to be told twice. */
export function encodeControl(port: Port, event: Outgoing, size: TerminalSize): Uint8Array<ArrayBuffer> {
  const payload = payloadOf(port, event, size);
  const bytes = new Uint8Array(CONTROL_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, port.id, true);
  view.setUint16(4, ControlEvent[event], true);
  view.setUint16(6, event === "portOpen" && !port.hostOpen ? 0 : 1, true);
  bytes.set(payload, CONTROL_BYTES);
  return bytes;
}

/** Columns come before rows, as the specification has it and Linux since 6.14.3. */
function payloadOf(port: Port, event: Outgoing, { columns, rows }: TerminalSize): Uint8Array {
  if (event === "portName") return new TextEncoder().encode(port.name);
  return event === "resize" ? new Uint8Array(Uint16Array.of(columns, rows).buffer) : new Uint8Array(0);
}
