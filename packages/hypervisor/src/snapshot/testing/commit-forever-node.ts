/** Writes one snapshot after the other under the same name until it is killed; says `committed N` behind each. */
import { NOWHERE, PAGE_BYTES } from "../format.ts";
import { SnapshotWriter } from "../writer-node.ts";

const PAGES = 96;

for (let n = 1; ; n++) {
  const writer = new SnapshotWriter(process.argv[2]);
  const index = new Uint32Array(PAGES).fill(NOWHERE);
  for (let page = 0; page < PAGES; page++) {
    // Every page says which snapshot it belongs to.
    const content = crypto.getRandomValues(new Uint8Array(PAGE_BYTES));
    new DataView(content.buffer).setUint32(0, n);
    index[page] = writer.add(content);
    await writer.settle();
  }
  const meta = { id: String(n), program: "test", ancestors: [], configuration: {}, state: n };
  await writer.commit({ ...meta, spaces: [{ name: "ram", pages: PAGES }] }, [index]);
  process.stdout.write(`committed ${n}\n`);
}
