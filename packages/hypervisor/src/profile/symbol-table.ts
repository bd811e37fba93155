/** Functions by address: sorted once, then looked up by bisection. */

export interface FunctionSymbol {
  readonly name: string;
  readonly address: bigint;
  /** Bytes; 0 where unknown, and then it reaches up to the next symbol. */
  readonly size: number;
  /** Of symbols at one address the one with the highest rank names it. Default 0. */
  readonly rank?: number;
}

export class SymbolTable {
  readonly #symbols: readonly FunctionSymbol[];

  constructor(symbols: Iterable<FunctionSymbol>) {
    const sorted = [...symbols].sort(
      (a, b) => Number(a.address < b.address ? -1 : a.address > b.address) || (b.rank ?? 0) - (a.rank ?? 0),
    );
    this.#symbols = sorted.filter((symbol, i) => i === 0 || symbol.address !== sorted[i - 1].address);
  }

  get size(): number {
    return this.#symbols.length;
  }

  /** The symbol that an address lies in. */
  find(address: bigint): FunctionSymbol | undefined {
    let [low, high] = [0, this.#symbols.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#symbols[middle].address <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = this.#symbols[low - 1];
    if (symbol === undefined) return undefined;
    return symbol.size === 0 || address < symbol.address + BigInt(symbol.size) ? symbol : undefined;
  }
}
