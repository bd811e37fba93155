/** The owner's end of a serial console or of a virtio-console port: asynchronous, bounded, with an end each way. */
import { Receiver, Sender } from "../channel/channel.ts";
import type { Mailbox } from "../channel/mailbox.ts";
import type { PortWiring } from "./wiring.ts";

export class HostPort {
  readonly name: string;
  readonly #mailbox: Mailbox;
  readonly #sender: Sender;
  readonly #receiver: Receiver;

  constructor(wiring: PortWiring, mailbox: Mailbox) {
    this.name = wiring.name;
    this.#mailbox = mailbox;
    this.#sender = new Sender(wiring.input);
    this.#receiver = new Receiver(wiring.output);
  }

  /** Next bytes from the guest, at least one; undefined after the last. One reader at a time. */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#mailbox.read(this.#receiver);
  }

  /** Everything the guest sends until the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let data = await this.read(); data !== undefined; data = await this.read()) yield data;
  }

  /** Sends bytes to the guest; resolves when they are on their way, with false when the partition has stopped. */
  write(data: Uint8Array): Promise<boolean> {
    return this.#mailbox.write(this.#sender, data);
  }

  /** No more input: a port is closed towards the guest, whose reader sees the end of the file. */
  end(): void {
    this.#sender.close();
  }
}
