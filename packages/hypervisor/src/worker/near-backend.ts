/** The near end of a cable to the NAT: what can be answered on the machine's thread is, all else goes to the far end. */
import type { NetBackend } from "@bulkhead/devices";
import { type Abilities, type Frame, NearEcho, type Offload, usualAddresses } from "@bulkhead/network";

/** Answers that wait for a driver without buffers; more are lost. */
const MOST_ANSWERS = 64;

export class NearBackend implements NetBackend {
  readonly #far: NetBackend;
  readonly #echo: NearEcho;
  readonly #answers: Frame[] = [];

  /** @param mtu bytes of a packet of the link. */
  constructor(far: NetBackend, mtu: number) {
    this.#far = far;
    this.#echo = new NearEcho(usualAddresses, mtu);
  }

  get room(): boolean {
    return this.#far.room;
  }

  send(parts: readonly Uint8Array[], length: number, offload: Offload): void {
    const answer = this.#echo.answer(parts, length);
    if (answer === undefined) this.#far.send(parts, length, offload);
    else if (this.#answers.length < MOST_ANSWERS) this.#answers.push(answer);
  }

  next(): Frame | undefined {
    return this.#answers[0] ?? this.#far.next();
  }

  drop(): void {
    if (this.#answers.length > 0) this.#answers.shift();
    else this.#far.drop();
  }

  flush(): void {
    this.#far.flush();
  }

  settle(): void {
    this.#far.settle();
  }

  accept(abilities: Abilities): void {
    this.#far.accept(abilities);
  }
}
