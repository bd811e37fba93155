import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../wire/address.ts";
import { Policy, plainAddress } from "./policy.ts";
import { type Destination, parseRule, type Rule } from "./rule.ts";

const rule = (text: string): Rule => {
  const parsed = parseRule(text.slice(1), text.startsWith("+"));
  return typeof parsed === "string" ? assert.fail(parsed) : parsed;
};

const policy = (...rules: string[]): Policy => new Policy(rules.map(rule));
const to = (address: string, port = 80, more: Partial<Destination> = {}): Destination => ({
  address: ip(address),
  port,
  protocol: "tcp",
  names: [],
  ...more,
});

test("Policy: lets guests out, but not to what the host has for itself", () => {
  const usual = policy();
  for (const open of ["1.1.1.1", "10.1.2.3", "192.168.0.1", "2001:db8::1", "fd00::1"]) {
    assert.equal(usual.permits(to(open)), true, open);
  }
  for (const guarded of [
    ...["127.0.0.1", "127.1.2.3", "0.0.0.0", "169.254.169.254", "100.100.100.200", "168.63.129.16"],
    ...["::1", "::", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "::ffff:169.254.169.254"],
    "::127.0.0.1",
  ]) {
    assert.equal(usual.permits(to(guarded)), false, guarded);
  }
});

test("Policy: the first rule that matches decides", () => {
  const rules = policy(
    "+10.1.0.0/16:443",
    "-10.0.0.0/8",
    "+[2001:db8::/32]:80-90",
    "-2001:db8::/32",
    "-:25",
    "-all/udp",
  );
  assert.equal(rules.permits(to("10.1.2.3", 443)), true);
  assert.equal(rules.permits(to("10.1.2.3", 80)), false);
  assert.equal(rules.permits(to("11.1.2.3", 80)), true);
  assert.equal(rules.permits(to("2001:db8::1", 85)), true);
  assert.equal(rules.permits(to("2001:db8::1", 91)), false);
  assert.equal(rules.permits(to("11.1.2.3", 25)), false);
  assert.equal(rules.permits(to("11.1.2.3", 53, { protocol: "udp" })), false);
  assert.equal(rules.permits(to("11.1.2.3", 0, { protocol: "icmp" })), true);
});

test("Policy: what is guarded opens only to a rule about its address", () => {
  assert.equal(policy("+all").permits(to("127.0.0.1")), false);
  assert.equal(policy("+host").permits(to("127.0.0.1")), true);
  assert.equal(policy("+host").permits(to("::1")), true);
  assert.equal(policy("+host:8080").permits(to("127.0.0.1", 80)), false);
  assert.equal(policy("+169.254.169.254").permits(to("169.254.169.254")), true);
  assert.equal(policy("+127.0.0.1").permits(to("::ffff:127.0.0.1")), true);
  assert.equal(policy("+evil.example").permits(to("127.0.0.1", 80, { names: ["evil.example"] })), false);
});

test("Policy: names", () => {
  const rules = policy("+packages.example.org", "+*.example.com:443", "-all");
  assert.equal(rules.permits(to("1.2.3.4", 80, { names: ["packages.example.org"] })), true);
  assert.equal(rules.permits(to("1.2.3.4", 80, { names: ["other.org"] })), false);
  assert.equal(rules.permits(to("1.2.3.4", 443, { names: ["a.b.example.com"] })), true);
  assert.equal(rules.permits(to("1.2.3.4", 80, { names: ["a.b.example.com"] })), false);
  assert.equal(rules.permits(to("1.2.3.4", 443, { names: ["example.com"] })), false);
  assert.equal(rules.permitsName("packages.example.org"), true);
  assert.equal(rules.permitsName("a.example.com"), true);
  assert.equal(rules.permitsName("secret.attacker.net"), false);
  assert.equal(policy("-evil.example").permitsName("evil.example"), false);
  assert.equal(policy("-evil.example").permitsName("good.example"), true);
  assert.equal(policy("-:25", "-10.0.0.0/8").permitsName("any.example"), true);
  assert.deepEqual([rules.usesNames, policy("-10.0.0.0/8").usesNames], [true, false]);
});

test("parseRule: refuses what is no rule", () => {
  for (const text of [
    "1.2.3.4:0",
    "1.2.3.4:70000",
    "a:b",
    "a:9-8",
    "1.2.3",
    "10.0.0.0/33",
    "-x",
    "a..b",
    "[::1",
    "a b",
  ]) {
    assert.equal(typeof parseRule(text, true), "string", text);
  }
  assert.deepEqual(parseRule("FTP.Example.ORG.:80/tcp", true), {
    allow: true,
    target: { kind: "name", name: "ftp.example.org", below: false },
    ports: [80, 80],
    protocol: "tcp",
  });
});

test("plainAddress: finds the address that another carries", () => {
  assert.deepEqual(plainAddress(ip("::ffff:1.2.3.4")), ip("1.2.3.4"));
  assert.deepEqual(plainAddress(ip("::1")), ip("::1"));
  assert.deepEqual(plainAddress(ip("2001:db8::1")), ip("2001:db8::1"));
});
