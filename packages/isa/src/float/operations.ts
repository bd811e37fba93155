/** Floating-point operations of F, D, Zfhmin and Zfa, named `operation.format` or `convert.to.from`. */
export type FloatOperation = string;
