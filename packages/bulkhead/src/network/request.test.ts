import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNetwork, parsePublish } from "./request.ts";
import { inOrder, orderedRule } from "./rules.ts";

test("parseNetwork: tells what a device is plugged into", () => {
  assert.deepEqual(parseNetwork("nat"), { kind: "nat" });
  assert.deepEqual(parseNetwork("none"), { kind: "none" });
  assert.deepEqual(parseNetwork("lab"), { kind: "private", name: "lab" });
  assert.deepEqual(parseNetwork("lab-2,vlan=40"), { kind: "private", name: "lab-2", vlan: 40 });
  assert.deepEqual(parseNetwork("passt:/tmp/passt.socket"), { kind: "passt", path: "/tmp/passt.socket" });
  assert.deepEqual(parseNetwork("tap:7"), { kind: "tap", where: "7" });
});

test("parseNetwork: refuses anything else", () => {
  for (const text of ["", "a/b", "../x", "lab,vlan=0", "lab,vlan=4095", "lab,vlan=x", "lab,vlan=1,vlan=2", "passt:"]) {
    assert.throws(() => parseNetwork(text), /Expected/, text);
  }
});

test("parsePublish: takes ports, an address and a protocol", () => {
  const usual = { protocol: "tcp", address: "127.0.0.1", hostPort: 8080, guestPort: 80 };
  assert.deepEqual(parsePublish("8080:80"), usual);
  assert.deepEqual(parsePublish("0.0.0.0:8080:80/udp"), { ...usual, address: "0.0.0.0", protocol: "udp" });
  assert.deepEqual(parsePublish("[::1]:8080:80"), { ...usual, address: "::1" });
  assert.deepEqual(parsePublish("0:80"), { ...usual, hostPort: 0 });
  for (const text of ["80", "x:80", "80:0", "80:70000", "70000:80", "80:80/sctp", "a:80:80", ":80"]) {
    assert.throws(() => parsePublish(text), /Expected/, text);
  }
});

test("inOrder: rules of both options in the order they were given", () => {
  const [first, second, third] = [orderedRule(false)("all"), orderedRule(true)("host"), orderedRule(false)("::/0")];
  assert.deepEqual(
    inOrder([second], [first, third]).map(({ allow }) => allow),
    [false, true, false],
  );
  assert.deepEqual(inOrder(undefined, undefined), []);
  assert.throws(() => orderedRule(true)("1.2.3"), /expected/);
});
