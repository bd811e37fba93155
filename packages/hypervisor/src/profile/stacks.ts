/** Stacks of places in the guest, each known by a number; their names are found at the end, when most can be. */
import type { Frame, Profile } from "./profile.ts";

/** A place in the guest whose name may become known later. */
export interface Place {
  /** The same for the same place. */
  readonly key: string;
  name(): Frame;
}

export class Stacks {
  readonly #places = new Map<string, number>();
  readonly #list: Place[] = [];
  readonly #stacks = new Map<string, number>();
  readonly #members: number[][] = [];

  /** Number of a stack. @param places outermost first. */
  number(places: readonly Place[]): number {
    const members = places.map((place) => this.#place(place));
    const key = members.join(" ");
    let number = this.#stacks.get(key);
    if (number === undefined) {
      number = this.#members.push(members) - 1;
      this.#stacks.set(key, number);
    }
    return number;
  }

  /** All stacks, with places of the same name as one frame. */
  finish(): Pick<Profile, "frames" | "stacks"> {
    const frames: Frame[] = [];
    const numbers = new Map<string, number>();
    const frameOf = this.#list.map((place) => {
      const frame = place.name();
      const key = `${frame.module}\0${frame.name}`;
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, frames.length);
      return frames.push(frame) - 1;
    });
    return { frames, stacks: this.#members.map((members) => members.map((member) => frameOf[member])) };
  }

  #place(place: Place): number {
    let number = this.#places.get(place.key);
    if (number === undefined) {
      number = this.#list.push(place) - 1;
      this.#places.set(place.key, number);
    }
    return number;
  }
}
