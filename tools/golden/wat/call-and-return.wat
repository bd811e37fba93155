;; A guest call is a WebAssembly call whose result is compared with the next pc; a return gives the pc.
;;
;;   addi sp, sp, -16
;;   sd ra, 8(sp)
;;   call 256
;;   ld ra, 8(sp)
;;   addi sp, sp, 16
;;   addi a0, a0, 1
;;   ret
;;
(module
  (type (func (param i32 i32 i64 i64) (result i64)))
  (type (func (param i32 i32)))
  (type (func (param i32 i32 i64 i32 i32) (result i64)))
  (type (func (param i32 i32 i32 i64) (result i64)))
  (type (func (param i32 i64 i64)))
  (type (func (param i32 i64) (result i64)))
  (type (func (param i32 i64 i32 i64)))
  (type (func (param i32 i64 i32) (result i64)))
  (import "env" "memory" (memory 1 65536 shared))
  (import "env" "regions" (table 0 funcref))
  (import "run" "resume" (func $resume (type 0)))
  (import "run" "enter" (func $enter (type 1)))
  (import "run" "depart" (func $depart (type 2)))
  (import "runtime" "store8" (func $store8 (type 4)))
  (import "runtime" "load8" (func $load8 (type 5)))
  (import "runtime" "store" (func $store (type 6)))
  (import "runtime" "load" (func $load (type 7)))
  (func $cold (param $hart i32) (param $depth i32) (param $entry i32) (param $pc i64) (result i64)
    (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $sp i64) (local $a0 i64) (local $11 i64)
    (block $block1
      (block $block2
        (block $block3
          (block
            (i32.store offset=564 (;sampleIn;)
              (local.get $hart)
              (i32.sub (i32.load offset=564 (;sampleIn;) (local.get $hart)) (i32.const 1)))
            (if
              (i32.lt_s (i32.load offset=564 (;sampleIn;) (local.get $hart)) (i32.const 0))
              (then
                (call $enter (local.get $hart) (i32.const 1))))
            (block $block5
              (if
                (i32.eqz (local.get $entry))
                (then
                  (local.set $home (local.get $pc))
                  (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                  (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
                  (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
                  (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
                  (local.set $budget (i32.sub (local.get $budget) (i32.const 3)))
                  (local.set $sp (i64.add (local.get $sp) (i64.const -16)))
                  (call $store8 (local.get $hart) (i64.add (local.get $sp) (i64.const 8)) (local.get $ra))
                  (if
                    (i32.load offset=536 (;signal;) (local.get $hart))
                    (then
                      (local.set $exit (i64.const 17921))
                      (br $block3)))
                  (local.set $ra (i64.add (local.get $home) (i64.const 12)))
                  (local.set $pc (i64.add (i64.add (local.get $home) (i64.const 8)) (i64.const 256)))
                  (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
                  (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
                  (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                  (if
                    (i64.ne
                      (local.tee $pc
                        (call $resume
                          (local.get $hart)
                          (local.get $depth)
                          (local.get $pc)
                          (i64.add (local.get $home) (i64.const 12))))
                      (i64.add (local.get $home) (i64.const 12)))
                    (then
                      (return (local.get $pc))))
                  (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                  (br $block5)))
              (block $block6
                (br_table $block6 (i32.sub (local.get $entry) (i32.const 1))))
              (br $block5))
            (local.set $home (i64.sub (local.get $pc) (i64.const 12)))
            (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
            (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
            (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
            (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
            (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
            (local.set $budget (i32.sub (local.get $budget) (i32.const 4)))
            (local.set $11 (call $load8 (local.get $hart) (i64.add (local.get $sp) (i64.const 8))))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 49667))
                (br $block2)))
            (local.set $ra (local.get $11))
            (local.set $sp (i64.add (local.get $sp) (i64.const 16)))
            (local.set $a0 (i64.add (local.get $a0) (i64.const 1)))
            (local.set $11 (i64.and (local.get $ra) (i64.const -2)))
            (local.set $pc (local.get $11))
            (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
            (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
            (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
            (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
            (return (local.get $pc))
            (unreachable)))
        (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
        (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
        (br $block1))
      (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
      (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
      (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
      (br $block1)
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
    (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $sp i64) (local $10 i64) (local $11 i32) (local $12 i32) (local $a0 i64) (local $14 i64)
    (block $block1
      (block $block2
        (block $block3
          (block
            (block $block5
              (if
                (i32.eqz (local.get $entry))
                (then
                  (local.set $home (local.get $pc))
                  (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                  (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
                  (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
                  (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
                  (local.set $budget (i32.sub (local.get $budget) (i32.const 3)))
                  (local.set $sp (i64.add (local.get $sp) (i64.const -16)))
                  (local.set $10 (i64.add (local.get $sp) (i64.const 8)))
                  (if
                    (i64.eq
                      (i64.load offset=65536
                        (local.tee $11
                          (i32.add
                            (i32.and
                              (i32.shr_u (i32.wrap_i64 (local.get $10)) (i32.const 8))
                              (i32.const 65520))
                            (local.get $dataTlb))))
                      (i64.and (local.get $10) (i64.const -4089)))
                    (then
                      (i64.store
                        (i32.add (i32.wrap_i64 (local.get $10)) (i32.load offset=65544 (local.get $11)))
                        (local.get $ra)))
                    (else
                      (call $store (local.get $hart) (local.get $10) (i32.const 3) (local.get $ra))
                      (if
                        (i32.load offset=536 (;signal;) (local.get $hart))
                        (then
                          (local.set $exit (i64.const 17921))
                          (br $block3)))))
                  (local.set $ra (i64.add (local.get $home) (i64.const 12)))
                  (local.set $pc (i64.add (i64.add (local.get $home) (i64.const 8)) (i64.const 256)))
                  (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
                  (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
                  (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                  (block $block7
                    (br_if $block7 (i32.le_s (local.get $depth) (i32.const 0)))
                    (br_if $block7
                      (i64.ne
                        (i64.load offset=1048576
                          (local.tee $11
                            (i32.add
                              (i32.and
                                (i32.shl (i32.wrap_i64 (local.get $pc)) (i32.const 3))
                                (i32.const 524272))
                              (local.get $hart))))
                        (local.get $pc)))
                    (br_if $block7
                      (i32.ne
                        (i32.load offset=1048584 (local.get $11))
                        (i32.load offset=556 (;fetchSpace;) (local.get $hart))))
                    (local.set $12 (i32.load offset=1048588 (local.get $11)))
                    (local.set $pc
                      (call_indirect (type 3)
                        (local.get $hart)
                        (i32.sub (local.get $depth) (i32.const 1))
                        (i32.and (local.get $12) (i32.const 255))
                        (local.get $pc)
                        (i32.shr_u (local.get $12) (i32.const 8)))))
                  (if
                    (i64.ne (local.get $pc) (i64.add (local.get $home) (i64.const 12)))
                    (then
                      (if
                        (i64.ne
                          (local.tee $pc
                            (call $resume
                              (local.get $hart)
                              (local.get $depth)
                              (local.get $pc)
                              (i64.add (local.get $home) (i64.const 12))))
                          (i64.add (local.get $home) (i64.const 12)))
                        (then
                          (return (local.get $pc))))))
                  (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                  (br $block5)))
              (block $block6
                (br_table $block6 (i32.sub (local.get $entry) (i32.const 1))))
              (br $block5))
            (local.set $home (i64.sub (local.get $pc) (i64.const 12)))
            (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
            (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
            (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
            (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
            (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
            (local.set $budget (i32.sub (local.get $budget) (i32.const 4)))
            (local.set $10 (i64.add (local.get $sp) (i64.const 8)))
            (local.set $14
              (if (result i64)
                (i64.eq
                  (i64.load
                    (local.tee $12
                      (i32.add
                        (i32.and (i32.shr_u (i32.wrap_i64 (local.get $10)) (i32.const 8)) (i32.const 65520))
                        (local.get $dataTlb))))
                  (i64.and (local.get $10) (i64.const -4089)))
                (then
                  (i64.load (i32.add (i32.wrap_i64 (local.get $10)) (i32.load offset=8 (local.get $12)))))
                (else
                  (call $load (local.get $hart) (local.get $10) (i32.const 3))
                  (if
                    (i32.load offset=536 (;signal;) (local.get $hart))
                    (then
                      (local.set $exit (i64.const 49667))
                      (br $block2))))))
            (local.set $ra (local.get $14))
            (local.set $sp (i64.add (local.get $sp) (i64.const 16)))
            (local.set $a0 (i64.add (local.get $a0) (i64.const 1)))
            (local.set $14 (i64.and (local.get $ra) (i64.const -2)))
            (local.set $pc (local.get $14))
            (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
            (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
            (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
            (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
            (return (local.get $pc))
            (unreachable)))
        (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
        (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
        (br $block1))
      (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
      (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
      (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
      (br $block1)
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
