/**
 * NS16550A UART with 16-byte FIFOs, as Linux's 8250 driver, U-Boot and OpenSBI expect it. @spec National
 * Semiconductor PC16550D. Bytes go out at once and are handed over in batches; input waits until there is room.
 */
import type { InterruptLine, MmioDevice } from "../bus.ts";

const FIFO_BYTES = 16;
/** Output kept while the host does not take it; then the transmitter says it is busy, so a guest cannot fill the host. */
const OUTPUT_BYTES = 16 * 1024;

const Ier = { receive: 1, transmit: 2, line: 4, modem: 8 } as const;
const Iir = { none: 0x01, modem: 0x00, transmit: 0x02, receive: 0x04, line: 0x06, timeout: 0x0c, fifos: 0xc0 } as const;
const Fcr = { enable: 0x01, resetReceiver: 0x02, resetTransmitter: 0x04, trigger: 0xc0 } as const;
const Lsr = { ready: 0x01, overrun: 0x02, holdingEmpty: 0x20, empty: 0x40 } as const;
const LCR_DIVISOR = 0x80;
const MCR_LOOP = 0x10;
/** Clear to send, data set ready and carrier: there is always somebody at the other end. */
const CONNECTED = 0xb0;
const TRIGGERS = [1, 4, 8, 14];

export interface UartEvents {
  /** Bytes that the guest sent; the array is the callee's. */
  output(bytes: Uint8Array): void;
  /** There is room for input again, after `receive` took less than it was given. */
  onRoom?(): void;
}

export interface UartState {
  ier: number;
  fcr: number;
  lcr: number;
  mcr: number;
  msr: number;
  scratch: number;
  divisor: number;
  overrun: boolean;
  /** The holding register ran empty and the guest has not been told yet. */
  transmitPending: boolean;
  received: number[];
  /** Output that the host has not taken. */
  output: number[];
}

const RESET: UartState = {
  ier: 0,
  fcr: 0,
  lcr: 0,
  mcr: 0x08,
  msr: CONNECTED,
  scratch: 0,
  divisor: 0x0c,
  overrun: false,
  transmitPending: false,
  received: [],
  output: [],
};

export class Uart implements MmioDevice {
  readonly #line: InterruptLine;
  readonly #events: UartEvents;
  readonly #output = new Uint8Array(OUTPUT_BYTES);
  #outputLength = 0;
  #paused = false;
  #refused = false;
  #state: UartState = structuredClone(RESET);

  constructor(line: InterruptLine, events: UartEvents) {
    this.#line = line;
    this.#events = events;
  }

  /** What the guest has sent is still handed over. */
  reset(): void {
    this.restore({ ...RESET, output: [...this.#output.subarray(0, this.#outputLength)] });
    this.#room();
  }

  /** Input from the host. @returns how many bytes were taken; `onRoom` tells when the rest may be tried again. */
  receive(bytes: Uint8Array): number {
    const s = this.#state;
    const looped = (s.mcr & MCR_LOOP) !== 0;
    const taken = looped ? 0 : Math.min(bytes.length, this.#capacity() - s.received.length);
    for (let i = 0; i < taken; i++) s.received.push(bytes[i]);
    this.#refused = taken < bytes.length;
    this.#drive();
    return taken;
  }

  /** Hands over what the guest has sent. The machine's loop calls it at the end of each slice and before it sleeps. */
  flush(): void {
    if (this.#paused || this.#outputLength === 0) return;
    const bytes = this.#output.slice(0, this.#outputLength);
    const wasFull = !this.#canSend();
    this.#outputLength = 0;
    if (wasFull) this.#sent();
    this.#events.output(bytes);
  }

  /** Holds output back: the host cannot take more at the moment. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.flush();
  }

  read(offset: number): number {
    const s = this.#state;
    const divisor = (s.lcr & LCR_DIVISOR) !== 0;
    if (offset === 0) return divisor ? s.divisor & 0xff : this.#readReceiver();
    if (offset === 1) return divisor ? s.divisor >> 8 : s.ier;
    if (offset === 2) return this.#readIdentification();
    if (offset === 3) return s.lcr;
    if (offset === 4) return s.mcr;
    if (offset === 5) return this.#readLineStatus();
    if (offset === 6) return this.#readModemStatus();
    return offset === 7 ? s.scratch : 0;
  }

  write(offset: number, _bytes: number, value: number): void {
    const s = this.#state;
    const byte = value & 0xff;
    const divisor = (s.lcr & LCR_DIVISOR) !== 0;
    if (offset === 0 && divisor) s.divisor = (s.divisor & 0xff00) | byte;
    else if (offset === 1 && divisor) s.divisor = (s.divisor & 0xff) | (byte << 8);
    else if (offset === 0) this.#send(byte);
    else if (offset === 1) this.#enable(byte & 0x0f);
    else if (offset === 2) this.#control(byte);
    else if (offset === 3) s.lcr = byte;
    else if (offset === 4) this.#modemControl(byte & 0x1f);
    else if (offset === 7) s.scratch = byte;
    this.#drive();
  }

  save(): UartState {
    return { ...structuredClone(this.#state), output: [...this.#output.subarray(0, this.#outputLength)] };
  }

  restore(state: UartState): void {
    this.#state = structuredClone(state);
    this.#state.output = [];
    this.#output.set(state.output);
    this.#outputLength = state.output.length;
    this.#drive();
  }

  #capacity(): number {
    return (this.#state.fcr & Fcr.enable) !== 0 ? FIFO_BYTES : 1;
  }

  #canSend(): boolean {
    return this.#outputLength <= OUTPUT_BYTES - FIFO_BYTES;
  }

  #readReceiver(): number {
    const byte = this.#state.received.shift() ?? 0;
    this.#drive();
    this.#room();
    return byte;
  }

  #room(): void {
    if (!this.#refused || this.#state.received.length > 0 || (this.#state.mcr & MCR_LOOP) !== 0) return;
    this.#refused = false;
    this.#events.onRoom?.();
  }

  /** The pending interrupt of the highest priority. Reading it clears a transmitter interrupt. */
  #readIdentification(): number {
    const source = this.#source();
    if (source === Iir.transmit) {
      this.#state.transmitPending = false;
      this.#drive();
    }
    return source | ((this.#state.fcr & Fcr.enable) !== 0 ? Iir.fifos : 0);
  }

  #readLineStatus(): number {
    const s = this.#state;
    const status =
      (s.received.length > 0 ? Lsr.ready : 0) |
      (s.overrun ? Lsr.overrun : 0) |
      (this.#canSend() ? Lsr.holdingEmpty | Lsr.empty : 0);
    s.overrun = false;
    this.#drive();
    return status;
  }

  #readModemStatus(): number {
    const status = this.#state.msr;
    this.#state.msr &= 0xf0;
    this.#drive();
    return status;
  }

  #send(byte: number): void {
    const s = this.#state;
    s.transmitPending = false;
    if ((s.mcr & MCR_LOOP) !== 0) this.#loop(byte);
    else if (this.#outputLength < OUTPUT_BYTES) this.#output[this.#outputLength++] = byte;
    if (!this.#canSend()) this.flush();
    if (this.#canSend()) s.transmitPending = true;
  }

  /** Output has been handed over and the transmitter is free again. */
  #sent(): void {
    this.#state.transmitPending = true;
    this.#drive();
  }

  #loop(byte: number): void {
    const { received } = this.#state;
    if (received.length < this.#capacity()) received.push(byte);
    else this.#state.overrun = true;
  }

  /** Enabling the transmitter interrupt while the holding register is empty raises it. */
  #enable(ier: number): void {
    const s = this.#state;
    if (((ier ^ s.ier) & Ier.transmit) !== 0) s.transmitPending = (ier & Ier.transmit) !== 0 && this.#canSend();
    s.ier = ier;
  }

  #control(fcr: number): void {
    const s = this.#state;
    const toggled = ((fcr ^ s.fcr) & Fcr.enable) !== 0;
    s.fcr = fcr & (Fcr.enable | Fcr.trigger);
    if (toggled || (fcr & Fcr.resetReceiver) !== 0) s.received = [];
    this.#room();
  }

  /** In loopback the modem inputs follow the modem outputs. */
  #modemControl(mcr: number): void {
    const s = this.#state;
    s.mcr = mcr;
    const looped = ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4);
    const lines = (mcr & MCR_LOOP) !== 0 ? looped : CONNECTED;
    const changed = (lines ^ s.msr) & 0xf0;
    /** The ring indicator counts when it ends only. */
    const ring = (changed & s.msr & 0x40) >> 4;
    s.msr = lines | (s.msr & 0x0f) | ((changed & 0xb0) >> 4) | ring;
    this.#room();
  }

  /** Input below the trigger level is reported as a timeout at once: our line is idle as soon as a batch has arrived. */
  #source(): number {
    const s = this.#state;
    if ((s.ier & Ier.line) !== 0 && s.overrun) return Iir.line;
    if ((s.ier & Ier.receive) !== 0 && s.received.length > 0) return this.#full() ? Iir.receive : Iir.timeout;
    if ((s.ier & Ier.transmit) !== 0 && s.transmitPending) return Iir.transmit;
    return (s.ier & Ier.modem) !== 0 && (s.msr & 0x0f) !== 0 ? Iir.modem : Iir.none;
  }

  #full(): boolean {
    const { fcr, received } = this.#state;
    return (fcr & Fcr.enable) === 0 || received.length >= TRIGGERS[fcr >> 6];
  }

  #drive(): void {
    this.#line.set(this.#source() !== Iir.none);
  }
}
