export { type FloatFunctions, floatFunctions } from "./float-module.ts";
