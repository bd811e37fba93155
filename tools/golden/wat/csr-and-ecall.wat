;; What may change anything is a call-out followed by a look at the signal; behind an ECALL is an entry.
;;
;;   csrrs a0, 0xc01, zero
;;   csrrw a1, 0x140, a0
;;   addi a7, zero, 172
;;   ecall
;;   add a0, a0, a1
;;   ret
;;
(module
  (type (func (param i32 i32 i64 i64) (result i64)))
  (type (func (param i32 i32)))
  (type (func (param i32 i32 i64 i32 i32) (result i64)))
  (type (func (param i32 i32 i32 i64) (result i64)))
  (type (func (param i32 i32 i32 i32 i64) (result i64)))
  (type (func (param i32 i32 i64 i64)))
  (import "env" "memory" (memory 1 65536 shared))
  (import "env" "regions" (table 0 funcref))
  (import "run" "resume" (func $resume (type 0)))
  (import "run" "enter" (func $enter (type 1)))
  (import "run" "depart" (func $depart (type 2)))
  (import "runtime" "csr" (func $csr (type 4)))
  (import "runtime" "system" (func $system (type 5)))
  (func $cold (param $hart i32) (param $depth i32) (param $entry i32) (param $pc i64) (result i64)
    (local $home i64) (local $budget i32) (local $exit i64) (local $a0 i64) (local $a1 i64) (local $a7 i64) (local $10 i64) (local $11 i64) (local $ra i64)
    (block $block1
      (block
        (block $block3
          (block
            (i32.store offset=564 (;sampleIn;)
              (local.get $hart)
              (i32.sub (i32.load offset=564 (;sampleIn;) (local.get $hart)) (i32.const 1)))
            (if
              (i32.lt_s (i32.load offset=564 (;sampleIn;) (local.get $hart)) (i32.const 0))
              (then
                (call $enter (local.get $hart) (i32.const 1))))
            (if
              (i32.eqz (local.get $entry))
              (then
                (local.set $home (local.get $pc))
                (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
                (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
                (local.set $a7 (i64.load offset=136 (;a7;) (local.get $hart)))
                (local.set $budget (i32.sub (local.get $budget) (i32.const 4)))
                (i64.store offset=512 (;pc;) (local.get $hart) (local.get $home))
                (i32.store offset=528 (;budget;)
                  (local.get $hart)
                  (i32.add (local.get $budget) (i32.const 3)))
                (local.set $10
                  (call $csr
                    (local.get $hart)
                    (i32.const 3073)
                    (i32.const 1)
                    (i32.or
                      (i64.ne (i64.const 0) (i64.const 0))
                      (i32.shl (i64.ne (i64.const 1) (i64.const 0)) (i32.const 1)))
                    (i64.const 0)))
                (if
                  (i32.eq (i32.load offset=536 (;signal;) (local.get $hart)) (i32.const 1))
                  (then
                    (local.set $exit (i64.const 515))
                    (br $block3)))
                (local.set $a0 (local.get $10))
                (if
                  (i32.load offset=536 (;signal;) (local.get $hart))
                  (then
                    (local.set $exit (i64.const 1539))
                    (br $block3)))
                (local.set $11 (local.get $a0))
                (if
                  (i32.lt_u (i32.load offset=688 (;csrs;) (local.get $hart)) (i32.const 1))
                  (then
                    (i64.store offset=512 (;pc;) (local.get $hart) (i64.add (local.get $home) (i64.const 4)))
                    (i32.store offset=528 (;budget;)
                      (local.get $hart)
                      (i32.add (local.get $budget) (i32.const 2)))
                    (local.set $10
                      (call $csr
                        (local.get $hart)
                        (i32.const 320)
                        (i32.const 0)
                        (i32.or
                          (i64.ne (i64.const 0) (i64.const 0))
                          (i32.shl (i64.ne (i64.const 0) (i64.const 0)) (i32.const 1)))
                        (local.get $11)))
                    (if
                      (i32.eq (i32.load offset=536 (;signal;) (local.get $hart)) (i32.const 1))
                      (then
                        (local.set $exit (i64.const 16898))
                        (br $block3))))
                  (else
                    (local.set $10 (i64.load offset=832 (local.get $hart)))
                    (i64.store offset=832 (local.get $hart) (local.get $11))))
                (local.set $a1 (local.get $10))
                (local.set $a7 (i64.const 172))
                (i64.store offset=512 (;pc;) (local.get $hart) (i64.add (local.get $home) (i64.const 12)))
                (i32.store offset=528 (;budget;)
                  (local.get $hart)
                  (i32.add (local.get $budget) (i32.const 0)))
                (call $system (local.get $hart) (i32.const 0) (i64.const 0) (i64.const 0))
                (if
                  (i32.load offset=536 (;signal;) (local.get $hart))
                  (then
                    (local.set $exit (i64.const 50688))
                    (br $block3)))
                (local.set $exit (i64.const 65536))
                (br $block3)))
            (block $block5
              (br_table $block5 (i32.sub (local.get $entry) (i32.const 1))))
            (local.set $home (i64.sub (local.get $pc) (i64.const 16)))
            (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
            (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
            (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
            (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
            (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
            (local.set $a0 (i64.add (local.get $a0) (local.get $a1)))
            (local.set $11 (i64.and (local.get $ra) (i64.const -2)))
            (local.set $pc (local.get $11))
            (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
            (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
            (return (local.get $pc))
            (unreachable)))
        (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
        (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
        (i64.store offset=136 (;a7;) (local.get $hart) (local.get $a7))
        (br $block1))
      (unreachable))
    (i32.store offset=528 (;budget;)
      (local.get $hart)
      (i32.add (local.get $budget) (i32.and (i32.wrap_i64 (local.get $exit)) (i32.const 511))))
    (return_call $depart
      (local.get $hart)
      (local.get $depth)
      (i64.add (local.get $home) (i64.shr_s (local.get $exit) (i64.const 12)))
      (i32.wrap_i64 (local.get $exit))
      (i32.const 1)))
  (func $hot (param $hart i32) (param $depth i32) (param $entry i32) (param $pc i64) (result i64)
    (local $home i64) (local $budget i32) (local $exit i64) (local $a0 i64) (local $a1 i64) (local $a7 i64) (local $10 i64) (local $11 i64) (local $ra i64)
    (block $block1
      (block
        (block $block3
          (block
            (if
              (i32.eqz (local.get $entry))
              (then
                (local.set $home (local.get $pc))
                (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
                (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
                (local.set $a7 (i64.load offset=136 (;a7;) (local.get $hart)))
                (local.set $budget (i32.sub (local.get $budget) (i32.const 4)))
                (i64.store offset=512 (;pc;) (local.get $hart) (local.get $home))
                (i32.store offset=528 (;budget;)
                  (local.get $hart)
                  (i32.add (local.get $budget) (i32.const 3)))
                (local.set $10
                  (call $csr
                    (local.get $hart)
                    (i32.const 3073)
                    (i32.const 1)
                    (i32.or
                      (i64.ne (i64.const 0) (i64.const 0))
                      (i32.shl (i64.ne (i64.const 1) (i64.const 0)) (i32.const 1)))
                    (i64.const 0)))
                (if
                  (i32.eq (i32.load offset=536 (;signal;) (local.get $hart)) (i32.const 1))
                  (then
                    (local.set $exit (i64.const 515))
                    (br $block3)))
                (local.set $a0 (local.get $10))
                (if
                  (i32.load offset=536 (;signal;) (local.get $hart))
                  (then
                    (local.set $exit (i64.const 1539))
                    (br $block3)))
                (local.set $11 (local.get $a0))
                (if
                  (i32.lt_u (i32.load offset=688 (;csrs;) (local.get $hart)) (i32.const 1))
                  (then
                    (i64.store offset=512 (;pc;) (local.get $hart) (i64.add (local.get $home) (i64.const 4)))
                    (i32.store offset=528 (;budget;)
                      (local.get $hart)
                      (i32.add (local.get $budget) (i32.const 2)))
                    (local.set $10
                      (call $csr
                        (local.get $hart)
                        (i32.const 320)
                        (i32.const 0)
                        (i32.or
                          (i64.ne (i64.const 0) (i64.const 0))
                          (i32.shl (i64.ne (i64.const 0) (i64.const 0)) (i32.const 1)))
                        (local.get $11)))
                    (if
                      (i32.eq (i32.load offset=536 (;signal;) (local.get $hart)) (i32.const 1))
                      (then
                        (local.set $exit (i64.const 16898))
                        (br $block3))))
                  (else
                    (local.set $10 (i64.load offset=832 (local.get $hart)))
                    (i64.store offset=832 (local.get $hart) (local.get $11))))
                (local.set $a1 (local.get $10))
                (local.set $a7 (i64.const 172))
                (i64.store offset=512 (;pc;) (local.get $hart) (i64.add (local.get $home) (i64.const 12)))
                (i32.store offset=528 (;budget;)
                  (local.get $hart)
                  (i32.add (local.get $budget) (i32.const 0)))
                (call $system (local.get $hart) (i32.const 0) (i64.const 0) (i64.const 0))
                (if
                  (i32.load offset=536 (;signal;) (local.get $hart))
                  (then
                    (local.set $exit (i64.const 50688))
                    (br $block3)))
                (local.set $exit (i64.const 65536))
                (br $block3)))
            (block $block5
              (br_table $block5 (i32.sub (local.get $entry) (i32.const 1))))
            (local.set $home (i64.sub (local.get $pc) (i64.const 16)))
            (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
            (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
            (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
            (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
            (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
            (local.set $a0 (i64.add (local.get $a0) (local.get $a1)))
            (local.set $11 (i64.and (local.get $ra) (i64.const -2)))
            (local.set $pc (local.get $11))
            (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
            (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
            (return (local.get $pc))
            (unreachable)))
        (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
        (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
        (i64.store offset=136 (;a7;) (local.get $hart) (local.get $a7))
        (br $block1))
      (unreachable))
    (i32.store offset=528 (;budget;)
      (local.get $hart)
      (i32.add (local.get $budget) (i32.and (i32.wrap_i64 (local.get $exit)) (i32.const 511))))
    (return_call $depart
      (local.get $hart)
      (local.get $depth)
      (i64.add (local.get $home) (i64.shr_s (local.get $exit) (i64.const 12)))
      (i32.wrap_i64 (local.get $exit))
      (i32.const 2)))
  (elem (i32.const 1) func $cold)
  (elem (i32.const 2) func $hot))
