import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIp, formatMac, inRange, ip, macBytes, parseIp, parseMac, parseRange, readMac } from "./address.ts";

test("formatIp: the shortest form of both families", () => {
  for (const [text, shortest] of [
    ["10.0.2.15", "10.0.2.15"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["fe80:0:0:0:0:0:0:0", "fe80::"],
    ["::ffff:1.2.3.4", "::ffff:102:304"],
  ]) {
    assert.equal(formatIp(ip(text)), shortest);
  }
});

test("parseIp: refuses what is no address", () => {
  for (const text of [
    "",
    "1.2.3",
    "1.2.3.256",
    "1.2.3.4.5",
    ":",
    ":::",
    "1:2",
    "1::2::3",
    "12345::",
    "g::",
    "::1.2.3",
  ]) {
    assert.equal(parseIp(text), undefined, text);
  }
  for (const text of ["1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "1.2.3.4:80"])
    assert.equal(parseIp(text), undefined, text);
});

test("inRange: compares as many bits as the range says", () => {
  const range = parseRange("10.62.128.0/17") ?? assert.fail();
  assert.equal(inRange(ip("10.62.129.1"), range), true);
  assert.equal(inRange(ip("10.62.127.1"), range), false);
  assert.equal(inRange(ip("::"), range), false);
  assert.equal(inRange(ip("1.2.3.4"), parseRange("0.0.0.0/0") ?? assert.fail()), true);
  assert.deepEqual(parseRange("::1"), { address: ip("::1"), bits: 128 });
  for (const text of ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "x/8"]) assert.equal(parseRange(text), undefined);
});

test("parseMac: Ethernet addresses there and back", () => {
  const mac = parseMac("02:62:6B:ff:00:10") ?? assert.fail();
  assert.equal(formatMac(mac), "02:62:6b:ff:00:10");
  assert.equal(readMac(macBytes(mac), 0), mac);
  assert.equal(parseMac("02:62"), undefined);
});
