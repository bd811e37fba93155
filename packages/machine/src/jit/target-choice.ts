/**
 * What can become of a jump target that is met. As a rule its count decides; tests give the processor a chooser, which has
 * tiers change in the midst of things.
 */

/** `forget` empties the target caches, and like `drop`, `dropAll` and `interpret` leaves the target to the interpreter for now. */
export const targetChoices = ["interpret", "translate", "optimise", "drop", "forget", "dropAll"] as const;
export type TargetChoice = (typeof targetChoices)[number];

/** Decides for each jump target that no cache knows, and once before each run. */
export type TargetChooser = () => TargetChoice;
