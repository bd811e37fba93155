/** The kernel structures that a profile looks into: each member declared once, its offset taken from the kernel's BTF. */
import type { Btf } from "./btf.ts";

const members = {
  taskName: ["task_struct", "comm"],
  taskGroup: ["task_struct", "tgid"],
  taskMemory: ["task_struct", "mm"],
  taskStart: ["task_struct", "start_time"],
  areas: ["mm_struct", "mm_mt"],
  treeRoot: ["maple_tree", "ma_root"],
  rangePivots: ["maple_range_64", "pivot"],
  rangeSlots: ["maple_range_64", "slot"],
  wideSlots: ["maple_arange_64", "slot"],
  widePivots: ["maple_arange_64", "pivot"],
  areaStart: ["vm_area_struct", "vm_start"],
  areaEnd: ["vm_area_struct", "vm_end"],
  areaPage: ["vm_area_struct", "vm_pgoff"],
  areaFile: ["vm_area_struct", "vm_file"],
  fileEntry: ["file", "f_path.dentry"],
  fileInode: ["file", "f_inode"],
  entryName: ["dentry", "d_name.name"],
  entryParent: ["dentry", "d_parent"],
  inodeCache: ["inode", "i_mapping"],
  inodeSize: ["inode", "i_size"],
  cachePages: ["address_space", "i_pages.xa_head"],
  nodeShift: ["xa_node", "shift"],
  nodeSlots: ["xa_node", "slots"],
  folioIndex: ["folio", "index"],
  moduleList: ["module", "list"],
  moduleName: ["module", "name"],
  moduleMemory: ["module", "mem"],
  moduleSymbols: ["module", "kallsyms"],
  memoryBase: ["module_memory", "base"],
  memorySize: ["module_memory", "size"],
  symbolTable: ["mod_kallsyms", "symtab"],
  symbolCount: ["mod_kallsyms", "num_symtab"],
  symbolNames: ["mod_kallsyms", "strtab"],
} as const;

const sizes = { pageBytes: "page", moduleMemoryBytes: "module_memory" } as const;

/** Offset of each member, and sizes of structures, in bytes. */
export type Structures = Readonly<Record<keyof typeof members | keyof typeof sizes, bigint>>;

/** Undefined where the kernel lacks one: it is older than 6.6, or built in another way. */
export function readStructures(btf: Btf): Structures | undefined {
  const found: Record<string, bigint> = {};
  for (const [name, [structure, member]] of Object.entries(members)) {
    const offset = btf.offset(structure, member);
    if (offset === undefined || !Number.isInteger(offset)) return undefined;
    found[name] = BigInt(offset);
  }
  for (const [name, structure] of Object.entries(sizes)) {
    const size = btf.size(structure);
    if (size === undefined) return undefined;
    found[name] = BigInt(size);
  }
  return found as Structures;
}
