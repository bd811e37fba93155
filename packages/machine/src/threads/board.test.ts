import assert from "node:assert/strict";
import { test } from "node:test";
import { Board, boardMemory } from "./board.ts";

test("Board: others have begun when each has noted the generation that runs", () => {
  const board = new Board(boardMemory(3, new SharedArrayBuffer(4)));
  const begin = (): void => board.begin({ mode: "machine", address: 0, deviceTree: 0, nextStage: 0 });
  begin();
  assert.ok(!board.othersHaveBegun);
  board.noteBegun(1, board.generation);
  assert.ok(!board.othersHaveBegun);
  board.noteBegun(2, board.generation);
  assert.ok(board.othersHaveBegun);
  begin();
  assert.ok(!board.othersHaveBegun);
});
