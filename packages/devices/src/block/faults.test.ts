import assert from "node:assert/strict";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FaultyBackend } from "../testing/faulty-backend.ts";
import { GuestDriver } from "../testing/guest-driver.ts";
import { Block } from "./device.ts";
import { HostFile } from "./host-file-node.ts";
import { MemoryBackend } from "./memory-backend.ts";
import { MemoryFile } from "./memory-file.ts";
import { RawImage } from "./raw.ts";

const [IN, OUT, FLUSH] = [0, 1, 4];
const [OK, IOERR] = [0, 1];

function machine() {
  const disk = new FaultyBackend(new MemoryBackend(new Uint8Array(64 * 512)));
  const errors: string[] = [];
  const driver = new GuestDriver(new Block(disk, { onError: (error) => errors.push(String(error)) }));
  const [queue] = driver.start(1);
  const request = (type: number, sector: number, data: Uint8Array | number): { status: number; data: Uint8Array } => {
    const header = new Uint8Array(16);
    new DataView(header.buffer).setUint32(0, type, true);
    new DataView(header.buffer).setUint32(8, sector, true);
    const addresses = driver.add(queue, [header, ...(data === 0 ? [] : [data]), 1]);
    driver.notify(queue);
    assert.equal(driver.used(queue).length, 1);
    const length = typeof data === "number" ? data : data.length;
    return { status: driver.bytes(addresses.at(-1) ?? 0, 1)[0], data: driver.bytes(addresses[1], length).slice() };
  };
  return { disk, errors, driver, request };
}

test("block: a disk that fills up in the middle of a write is an I/O error, and goes on when there is room", () => {
  const { disk, errors, driver, request } = machine();
  disk.faults = [{ code: "ENOSPC", when: ({ kind, written }) => kind === "write" && written > 4096, partial: 700 }];
  assert.equal(request(OUT, 0, new Uint8Array(4096).fill(1)).status, OK);
  assert.equal(request(OUT, 16, new Uint8Array(2048).fill(2)).status, IOERR);
  assert.match(errors[0], /ENOSPC/);
  assert.equal(request(IN, 0, 4096).data[4095], 1);
  assert.equal(driver.needsReset, false);
  disk.faults = [];
  assert.equal(request(OUT, 16, new Uint8Array(2048).fill(3)).status, OK);
  assert.equal(request(IN, 16, 2048).data[2047], 3);
});

test("block: a sector that cannot be read is an I/O error of the requests that want it", () => {
  const { disk, request } = machine();
  disk.faults = [{ code: "EIO", when: ({ kind, offset }) => kind === "read" && offset === 512 * 7 }];
  assert.equal(request(IN, 7, 512).status, IOERR);
  assert.equal(request(IN, 8, 512).status, OK);
});

test("block: a flush that fails is an I/O error", () => {
  const { disk, request } = machine();
  disk.faults = [{ code: "EIO", when: ({ kind }) => kind === "flush" }];
  assert.equal(request(FLUSH, 0, 0).status, IOERR);
  disk.faults = [];
  assert.equal(request(FLUSH, 0, 0).status, OK);
});

const directory = mkdtempSync(join(tmpdir(), "bulkhead-faults-"));
after(() => rmSync(directory, { recursive: true }));

test("HostFile: after a flush has failed no other succeeds, since what was written may be lost", () => {
  const path = join(directory, "closed");
  const closed = new HostFile(path, openSync(path, "wx+"), false);
  closed.write(0, new Uint8Array(512));
  closed.close();
  assert.throws(() => closed.flush(), { code: "disk-failed" });
  assert.throws(() => closed.flush(), { code: "disk-failed" });
});

test("raw: a guest must not make a disk look like another format, unless it is told to be raw", () => {
  const mark = new Uint8Array(512);
  mark.set([0x51, 0x46, 0x49, 0xfb]);
  const guessed = new RawImage(new MemoryFile(new Uint8Array(4096)), { guessed: true });
  assert.throws(() => guessed.write(0, mark), { code: "disk-format", message: /qcow2/ });
  guessed.write(512, mark);
  guessed.write(0, new Uint8Array(1024));
  const told = new RawImage(new MemoryFile(new Uint8Array(4096)));
  told.write(0, mark);
});

test("raw: large holes are punched, small ones written", () => {
  const MIB = 1024 * 1024;
  const path = join(directory, "holes");
  const file = new HostFile(path, openSync(path, "wx+"), false);
  file.write(0, new Uint8Array(8 * MIB).fill(1));
  const disk = new RawImage(file);
  const at = (offset: number): number => {
    const bytes = new Uint8Array(512);
    disk.read(offset, bytes);
    return bytes[0];
  };
  disk.writeZeroes(512, 4 * MIB, true);
  assert.deepEqual([at(0), at(512), at(4 * MIB), at(4 * MIB + 512)], [1, 0, 0, 1]);
  disk.writeZeroes(6 * MIB, 512, true);
  assert.deepEqual([at(6 * MIB), at(6 * MIB + 512)], [0, 1]);
  disk.close();
});
