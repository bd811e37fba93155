;; fib(n): the function calls itself through the target cache, and the places behind its calls are entries.
;;
;;   fib:  addi a5, zero, 2
;;         blt a0, a5, base
;;         addi sp, sp, -32
;;         sd ra, 24(sp)
;;         sd s0, 16(sp)
;;         mv s0, a0
;;         addi a0, s0, -1
;;         call fib
;;         sd a0, 8(sp)
;;         addi a0, s0, -2
;;         call fib
;;         ld a5, 8(sp)
;;         add a0, a0, a5
;;         ld ra, 24(sp)
;;         ld s0, 16(sp)
;;         addi sp, sp, 32
;;   base: ret
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
    (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $sp i64) (local $s0 i64) (local $a0 i64) (local $a5 i64) (local $13 i64)
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
              (block $block6
                (block $block7
                  (if
                    (i32.eqz (local.get $entry))
                    (then
                      (local.set $home (local.get $pc))
                      (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                      (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
                      (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
                      (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
                      (local.set $s0 (i64.load offset=64 (;s0;) (local.get $hart)))
                      (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
                      (local.set $a5 (i64.load offset=120 (;a5;) (local.get $hart)))
                      (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
                      (local.set $a5 (i64.const 2))
                      (if
                        (i64.lt_s (local.get $a0) (local.get $a5))
                        (then
                          (br $block5))
                        (else
                          (local.set $budget (i32.sub (local.get $budget) (i32.const 6)))
                          (local.set $sp (i64.add (local.get $sp) (i64.const -32)))
                          (call $store8
                            (local.get $hart)
                            (i64.add (local.get $sp) (i64.const 24))
                            (local.get $ra))
                          (if
                            (i32.load offset=536 (;signal;) (local.get $hart))
                            (then
                              (local.set $exit (i64.const 50692))
                              (br $block3)))
                          (call $store8
                            (local.get $hart)
                            (i64.add (local.get $sp) (i64.const 16))
                            (local.get $s0))
                          (if
                            (i32.load offset=536 (;signal;) (local.get $hart))
                            (then
                              (local.set $exit (i64.const 67075))
                              (br $block3)))
                          (local.set $s0 (local.get $a0))
                          (local.set $a0 (i64.add (local.get $s0) (i64.const -1)))
                          (local.set $ra (i64.add (local.get $home) (i64.const 32)))
                          (local.set $pc (i64.add (i64.add (local.get $home) (i64.const 28)) (i64.const -28)))
                          (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
                          (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
                          (i64.store offset=64 (;s0;) (local.get $hart) (local.get $s0))
                          (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
                          (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
                          (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                          (if
                            (i64.ne
                              (local.tee $pc
                                (call $resume
                                  (local.get $hart)
                                  (local.get $depth)
                                  (local.get $pc)
                                  (i64.add (local.get $home) (i64.const 32))))
                              (i64.add (local.get $home) (i64.const 32)))
                            (then
                              (return (local.get $pc))))
                          (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                          (br $block7)))))
                  (block $block8
                    (block $block9
                      (br_table $block9 $block8 (i32.sub (local.get $entry) (i32.const 1))))
                    (br $block7))
                  (br $block6))
                (local.set $home (i64.sub (local.get $pc) (i64.const 32)))
                (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
                (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
                (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
                (local.set $s0 (i64.load offset=64 (;s0;) (local.get $hart)))
                (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
                (local.set $budget (i32.sub (local.get $budget) (i32.const 3)))
                (call $store8 (local.get $hart) (i64.add (local.get $sp) (i64.const 8)) (local.get $a0))
                (if
                  (i32.load offset=536 (;signal;) (local.get $hart))
                  (then
                    (local.set $exit (i64.const 132610))
                    (br $block2)))
                (local.set $a0 (i64.add (local.get $s0) (i64.const -2)))
                (local.set $ra (i64.add (local.get $home) (i64.const 44)))
                (local.set $pc (i64.add (i64.add (local.get $home) (i64.const 40)) (i64.const -40)))
                (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
                (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
                (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                (if
                  (i64.ne
                    (local.tee $pc
                      (call $resume
                        (local.get $hart)
                        (local.get $depth)
                        (local.get $pc)
                        (i64.add (local.get $home) (i64.const 44))))
                    (i64.add (local.get $home) (i64.const 44)))
                  (then
                    (return (local.get $pc))))
                (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                (br $block6))
              (local.set $home (i64.sub (local.get $pc) (i64.const 44)))
              (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
              (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
              (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
              (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
              (local.set $s0 (i64.load offset=64 (;s0;) (local.get $hart)))
              (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
              (local.set $a5 (i64.load offset=120 (;a5;) (local.get $hart)))
              (local.set $budget (i32.sub (local.get $budget) (i32.const 5)))
              (local.set $13 (call $load8 (local.get $hart) (i64.add (local.get $sp) (i64.const 8))))
              (if
                (i32.load offset=536 (;signal;) (local.get $hart))
                (then
                  (local.set $exit (i64.const 180740))
                  (br $block3)))
              (local.set $a5 (local.get $13))
              (local.set $a0 (i64.add (local.get $a0) (local.get $a5)))
              (local.set $13 (call $load8 (local.get $hart) (i64.add (local.get $sp) (i64.const 24))))
              (if
                (i32.load offset=536 (;signal;) (local.get $hart))
                (then
                  (local.set $exit (i64.const 213506))
                  (br $block3)))
              (local.set $ra (local.get $13))
              (local.set $13 (call $load8 (local.get $hart) (i64.add (local.get $sp) (i64.const 16))))
              (if
                (i32.load offset=536 (;signal;) (local.get $hart))
                (then
                  (local.set $exit (i64.const 229889))
                  (br $block3)))
              (local.set $s0 (local.get $13))
              (local.set $sp (i64.add (local.get $sp) (i64.const 32)))
              (br $block5))
            (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
            (local.set $13 (i64.and (local.get $ra) (i64.const -2)))
            (local.set $pc (local.get $13))
            (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
            (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
            (i64.store offset=64 (;s0;) (local.get $hart) (local.get $s0))
            (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
            (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
            (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
            (return (local.get $pc))
            (unreachable)))
        (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
        (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
        (i64.store offset=64 (;s0;) (local.get $hart) (local.get $s0))
        (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
        (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
        (br $block1))
      (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
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
    (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $sp i64) (local $s0 i64) (local $a0 i64) (local $a5 i64) (local $13 i64) (local $14 i32) (local $15 i64)
    (block $block1
      (block $block2
        (block $block3
          (block
            (block $block5
              (block $block6
                (block $block7
                  (if
                    (i32.eqz (local.get $entry))
                    (then
                      (local.set $home (local.get $pc))
                      (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                      (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
                      (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
                      (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
                      (local.set $s0 (i64.load offset=64 (;s0;) (local.get $hart)))
                      (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
                      (local.set $a5 (i64.load offset=120 (;a5;) (local.get $hart)))
                      (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
                      (local.set $a5 (i64.const 2))
                      (if
                        (i64.lt_s (local.get $a0) (local.get $a5))
                        (then
                          (br $block5))
                        (else
                          (local.set $budget (i32.sub (local.get $budget) (i32.const 6)))
                          (local.set $sp (i64.add (local.get $sp) (i64.const -32)))
                          (local.set $13 (i64.add (local.get $sp) (i64.const 24)))
                          (if
                            (i64.eq
                              (i64.load offset=65536
                                (local.tee $14
                                  (i32.add
                                    (i32.and
                                      (i32.shr_u (i32.wrap_i64 (local.get $13)) (i32.const 8))
                                      (i32.const 65520))
                                    (local.get $dataTlb))))
                              (i64.and (local.get $13) (i64.const -4089)))
                            (then
                              (i64.store
                                (i32.add
                                  (i32.wrap_i64 (local.get $13))
                                  (i32.load offset=65544 (local.get $14)))
                                (local.get $ra)))
                            (else
                              (call $store (local.get $hart) (local.get $13) (i32.const 3) (local.get $ra))
                              (if
                                (i32.load offset=536 (;signal;) (local.get $hart))
                                (then
                                  (local.set $exit (i64.const 50692))
                                  (br $block3)))))
                          (local.set $13 (i64.add (local.get $sp) (i64.const 16)))
                          (if
                            (i64.eq
                              (i64.load offset=65536
                                (local.tee $14
                                  (i32.add
                                    (i32.and
                                      (i32.shr_u (i32.wrap_i64 (local.get $13)) (i32.const 8))
                                      (i32.const 65520))
                                    (local.get $dataTlb))))
                              (i64.and (local.get $13) (i64.const -4089)))
                            (then
                              (i64.store
                                (i32.add
                                  (i32.wrap_i64 (local.get $13))
                                  (i32.load offset=65544 (local.get $14)))
                                (local.get $s0)))
                            (else
                              (call $store (local.get $hart) (local.get $13) (i32.const 3) (local.get $s0))
                              (if
                                (i32.load offset=536 (;signal;) (local.get $hart))
                                (then
                                  (local.set $exit (i64.const 67075))
                                  (br $block3)))))
                          (local.set $s0 (local.get $a0))
                          (local.set $a0 (i64.add (local.get $s0) (i64.const -1)))
                          (local.set $ra (i64.add (local.get $home) (i64.const 32)))
                          (local.set $pc (i64.add (i64.add (local.get $home) (i64.const 28)) (i64.const -28)))
                          (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
                          (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
                          (i64.store offset=64 (;s0;) (local.get $hart) (local.get $s0))
                          (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
                          (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
                          (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                          (block $block10
                            (br_if $block10 (i32.le_s (local.get $depth) (i32.const 0)))
                            (local.set $pc
                              (call $hot
                                (local.get $hart)
                                (i32.sub (local.get $depth) (i32.const 1))
                                (i32.const 0)
                                (local.get $pc))))
                          (if
                            (i64.ne (local.get $pc) (i64.add (local.get $home) (i64.const 32)))
                            (then
                              (if
                                (i64.ne
                                  (local.tee $pc
                                    (call $resume
                                      (local.get $hart)
                                      (local.get $depth)
                                      (local.get $pc)
                                      (i64.add (local.get $home) (i64.const 32))))
                                  (i64.add (local.get $home) (i64.const 32)))
                                (then
                                  (return (local.get $pc))))))
                          (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                          (br $block7)))))
                  (block $block8
                    (block $block9
                      (br_table $block9 $block8 (i32.sub (local.get $entry) (i32.const 1))))
                    (br $block7))
                  (br $block6))
                (local.set $home (i64.sub (local.get $pc) (i64.const 32)))
                (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
                (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
                (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
                (local.set $s0 (i64.load offset=64 (;s0;) (local.get $hart)))
                (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
                (local.set $budget (i32.sub (local.get $budget) (i32.const 3)))
                (local.set $13 (i64.add (local.get $sp) (i64.const 8)))
                (if
                  (i64.eq
                    (i64.load offset=65536
                      (local.tee $14
                        (i32.add
                          (i32.and (i32.shr_u (i32.wrap_i64 (local.get $13)) (i32.const 8)) (i32.const 65520))
                          (local.get $dataTlb))))
                    (i64.and (local.get $13) (i64.const -4089)))
                  (then
                    (i64.store
                      (i32.add (i32.wrap_i64 (local.get $13)) (i32.load offset=65544 (local.get $14)))
                      (local.get $a0)))
                  (else
                    (call $store (local.get $hart) (local.get $13) (i32.const 3) (local.get $a0))
                    (if
                      (i32.load offset=536 (;signal;) (local.get $hart))
                      (then
                        (local.set $exit (i64.const 132610))
                        (br $block2)))))
                (local.set $a0 (i64.add (local.get $s0) (i64.const -2)))
                (local.set $ra (i64.add (local.get $home) (i64.const 44)))
                (local.set $pc (i64.add (i64.add (local.get $home) (i64.const 40)) (i64.const -40)))
                (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
                (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
                (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                (block $block7
                  (br_if $block7 (i32.le_s (local.get $depth) (i32.const 0)))
                  (local.set $pc
                    (call $hot
                      (local.get $hart)
                      (i32.sub (local.get $depth) (i32.const 1))
                      (i32.const 0)
                      (local.get $pc))))
                (if
                  (i64.ne (local.get $pc) (i64.add (local.get $home) (i64.const 44)))
                  (then
                    (if
                      (i64.ne
                        (local.tee $pc
                          (call $resume
                            (local.get $hart)
                            (local.get $depth)
                            (local.get $pc)
                            (i64.add (local.get $home) (i64.const 44))))
                        (i64.add (local.get $home) (i64.const 44)))
                      (then
                        (return (local.get $pc))))))
                (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
                (br $block6))
              (local.set $home (i64.sub (local.get $pc) (i64.const 44)))
              (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
              (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
              (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
              (local.set $sp (i64.load offset=16 (;sp;) (local.get $hart)))
              (local.set $s0 (i64.load offset=64 (;s0;) (local.get $hart)))
              (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
              (local.set $a5 (i64.load offset=120 (;a5;) (local.get $hart)))
              (local.set $budget (i32.sub (local.get $budget) (i32.const 5)))
              (local.set $13 (i64.add (local.get $sp) (i64.const 8)))
              (local.set $15
                (if (result i64)
                  (i64.eq
                    (i64.load
                      (local.tee $14
                        (i32.add
                          (i32.and (i32.shr_u (i32.wrap_i64 (local.get $13)) (i32.const 8)) (i32.const 65520))
                          (local.get $dataTlb))))
                    (i64.and (local.get $13) (i64.const -4089)))
                  (then
                    (i64.load (i32.add (i32.wrap_i64 (local.get $13)) (i32.load offset=8 (local.get $14)))))
                  (else
                    (call $load (local.get $hart) (local.get $13) (i32.const 3))
                    (if
                      (i32.load offset=536 (;signal;) (local.get $hart))
                      (then
                        (local.set $exit (i64.const 180740))
                        (br $block3))))))
              (local.set $a5 (local.get $15))
              (local.set $a0 (i64.add (local.get $a0) (local.get $a5)))
              (local.set $15 (i64.add (local.get $sp) (i64.const 24)))
              (local.set $13
                (if (result i64)
                  (i64.eq
                    (i64.load
                      (local.tee $14
                        (i32.add
                          (i32.and (i32.shr_u (i32.wrap_i64 (local.get $15)) (i32.const 8)) (i32.const 65520))
                          (local.get $dataTlb))))
                    (i64.and (local.get $15) (i64.const -4089)))
                  (then
                    (i64.load (i32.add (i32.wrap_i64 (local.get $15)) (i32.load offset=8 (local.get $14)))))
                  (else
                    (call $load (local.get $hart) (local.get $15) (i32.const 3))
                    (if
                      (i32.load offset=536 (;signal;) (local.get $hart))
                      (then
                        (local.set $exit (i64.const 213506))
                        (br $block3))))))
              (local.set $ra (local.get $13))
              (local.set $13 (i64.add (local.get $sp) (i64.const 16)))
              (local.set $15
                (if (result i64)
                  (i64.eq
                    (i64.load
                      (local.tee $14
                        (i32.add
                          (i32.and (i32.shr_u (i32.wrap_i64 (local.get $13)) (i32.const 8)) (i32.const 65520))
                          (local.get $dataTlb))))
                    (i64.and (local.get $13) (i64.const -4089)))
                  (then
                    (i64.load (i32.add (i32.wrap_i64 (local.get $13)) (i32.load offset=8 (local.get $14)))))
                  (else
                    (call $load (local.get $hart) (local.get $13) (i32.const 3))
                    (if
                      (i32.load offset=536 (;signal;) (local.get $hart))
                      (then
                        (local.set $exit (i64.const 229889))
                        (br $block3))))))
              (local.set $s0 (local.get $15))
              (local.set $sp (i64.add (local.get $sp) (i64.const 32)))
              (br $block5))
            (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
            (local.set $15 (i64.and (local.get $ra) (i64.const -2)))
            (local.set $pc (local.get $15))
            (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
            (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
            (i64.store offset=64 (;s0;) (local.get $hart) (local.get $s0))
            (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
            (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
            (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
            (return (local.get $pc))
            (unreachable)))
        (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
        (i64.store offset=16 (;sp;) (local.get $hart) (local.get $sp))
        (i64.store offset=64 (;s0;) (local.get $hart) (local.get $s0))
        (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
        (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
        (br $block1))
      (i64.store offset=8 (;ra;) (local.get $hart) (local.get $ra))
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
