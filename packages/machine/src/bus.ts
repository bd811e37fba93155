/** The memory-mapped I/O bus: which device answers which physical addresses. Who calls it: a hart's slow path. */

/** Registers of a device. Offsets are within the device's window; unknown registers read 0 and ignore writes. */
export interface MmioDevice {
  /** `bytes` is 1, 2 or 4; the result is unsigned. */
  read(offset: number, bytes: number): number;
  write(offset: number, bytes: number, value: number): void;
}

/** Accesses to what is not RAM. */
export interface PhysicalBus {
  /** Value at a physical address, or undefined if no device is there. 8-byte accesses are two 4-byte ones, low first. */
  read(address: number, bytes: number): bigint | undefined;
  /** False if no device is at the physical address. */
  write(address: number, bytes: number, value: bigint): boolean;
}

interface Window {
  readonly base: number;
  readonly size: number;
  readonly device: MmioDevice;
}

export class Bus implements PhysicalBus {
  readonly #windows: Window[] = [];
  #layer = (device: MmioDevice): MmioDevice => device;

  attach(base: number, size: number, device: MmioDevice): void {
    this.#windows.push({ base, size, device: this.#layer(device) });
  }

  /** Puts a layer before every device, those attached later too: a profiler sees what goes on there. Once at most. */
  interpose(layer: (device: MmioDevice) => MmioDevice): void {
    this.#layer = layer;
    for (const [i, { base, size, device }] of this.#windows.entries()) {
      this.#windows[i] = { base, size, device: layer(device) };
    }
  }

  read(address: number, bytes: number): bigint | undefined {
    const window = this.#find(address, bytes);
    if (window === undefined) return undefined;
    const offset = address - window.base;
    if (bytes <= 4) return BigInt(window.device.read(offset, bytes) >>> 0);
    const low = BigInt(window.device.read(offset, 4) >>> 0);
    return low | (BigInt(window.device.read(offset + 4, 4) >>> 0) << 32n);
  }

  write(address: number, bytes: number, value: bigint): boolean {
    const window = this.#find(address, bytes);
    if (window === undefined) return false;
    const offset = address - window.base;
    window.device.write(offset, Math.min(bytes, 4), Number(BigInt.asUintN(Math.min(bytes, 4) * 8, value)));
    if (bytes === 8) window.device.write(offset + 4, 4, Number(BigInt.asUintN(32, value >> 32n)));
    return true;
  }

  #find(address: number, bytes: number): Window | undefined {
    return this.#windows.find((w) => address >= w.base && address + bytes <= w.base + w.size);
  }
}

/** A level-triggered interrupt line from a device to its interrupt controller. */
export interface InterruptLine {
  set(level: boolean): void;
}
