;; A computed jump goes through the target cache as a tail call.
;;
;;   bgeu a0, a2, default
;;   slli a0, a0, 3
;;   add a0, a0, a1
;;   ld a0, 0(a0)
;;   jalr zero, 0(a0)
;;   default: addi a0, zero, -1
;;   ret
;;
(module
  (type (func (param i32 i32 i64 i64) (result i64)))
  (type (func (param i32 i32)))
  (type (func (param i32 i32 i64 i32 i32) (result i64)))
  (type (func (param i32 i32 i32 i64) (result i64)))
  (type (func (param i32 i64) (result i64)))
  (type (func (param i32 i64 i32) (result i64)))
  (import "env" "memory" (memory 1 65536 shared))
  (import "env" "regions" (table 0 funcref))
  (import "run" "resume" (func $resume (type 0)))
  (import "run" "enter" (func $enter (type 1)))
  (import "run" "depart" (func $depart (type 2)))
  (import "runtime" "load8" (func $load8 (type 4)))
  (import "runtime" "load" (func $load (type 5)))
  (func $cold (param $hart i32) (param $depth i32) (param $entry i32) (param $pc i64) (result i64)
    (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $12 i64) (local $13 i32) (local $14 i32)
    (block $block1
      (block $block2
        (block
          (i32.store offset=564 (;sampleIn;)
            (local.get $hart)
            (i32.sub (i32.load offset=564 (;sampleIn;) (local.get $hart)) (i32.const 1)))
          (if
            (i32.lt_s (i32.load offset=564 (;sampleIn;) (local.get $hart)) (i32.const 0))
            (then
              (call $enter (local.get $hart) (i32.const 1))))
          (local.set $home (local.get $pc))
          (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
          (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
          (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
          (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
          (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
          (local.set $a2 (i64.load offset=96 (;a2;) (local.get $hart)))
          (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
          (if
            (i32.eqz (i64.lt_u (local.get $a0) (local.get $a2)))
            (then
              (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
              (local.set $a0 (i64.const -1))
              (local.set $12 (i64.and (local.get $ra) (i64.const -2)))
              (local.set $pc (local.get $12))
              (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
              (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
              (return (local.get $pc)))
            (else
              (local.set $budget (i32.sub (local.get $budget) (i32.const 4)))
              (local.set $a0 (i64.shl (local.get $a0) (i64.const 3)))
              (local.set $a0 (i64.add (local.get $a0) (local.get $a1)))
              (local.set $12 (call $load8 (local.get $hart) (local.get $a0)))
              (if
                (i32.load offset=536 (;signal;) (local.get $hart))
                (then
                  (local.set $exit (i64.const 49665))
                  (br $block2)))
              (local.set $a0 (local.get $12))
              (local.set $12 (i64.and (local.get $a0) (i64.const -2)))
              (local.set $pc (local.get $12))
              (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
              (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
              (if
                (i32.lt_s (i32.load offset=528 (;budget;) (local.get $hart)) (i32.const 0))
                (then
                  (return (i64.or (local.get $pc) (i64.const 1)))))
              (block $block5
                (br_if $block5
                  (i64.ne
                    (i64.load offset=1048576
                      (local.tee $13
                        (i32.add
                          (i32.and (i32.shl (i32.wrap_i64 (local.get $pc)) (i32.const 3)) (i32.const 524272))
                          (local.get $hart))))
                    (local.get $pc)))
                (br_if $block5
                  (i32.ne
                    (i32.load offset=1048584 (local.get $13))
                    (i32.load offset=556 (;fetchSpace;) (local.get $hart))))
                (local.set $14 (i32.load offset=1048588 (local.get $13)))
                (return_call_indirect (type 3)
                  (local.get $hart)
                  (local.get $depth)
                  (i32.and (local.get $14) (i32.const 255))
                  (local.get $pc)
                  (i32.shr_u (local.get $14) (i32.const 8))))
              (return (local.get $pc))))
          (unreachable)))
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
    (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $12 i64) (local $13 i64) (local $14 i32) (local $15 i32)
    (block $block1
      (block $block2
        (block
          (local.set $home (local.get $pc))
          (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
          (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
          (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
          (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
          (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
          (local.set $a2 (i64.load offset=96 (;a2;) (local.get $hart)))
          (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
          (if
            (i32.eqz (i64.lt_u (local.get $a0) (local.get $a2)))
            (then
              (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
              (local.set $a0 (i64.const -1))
              (local.set $12 (i64.and (local.get $ra) (i64.const -2)))
              (local.set $pc (local.get $12))
              (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
              (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
              (return (local.get $pc)))
            (else
              (local.set $budget (i32.sub (local.get $budget) (i32.const 4)))
              (local.set $a0 (i64.shl (local.get $a0) (i64.const 3)))
              (local.set $a0 (i64.add (local.get $a0) (local.get $a1)))
              (local.set $12 (local.get $a0))
              (local.set $13
                (if (result i64)
                  (i64.eq
                    (i64.load
                      (local.tee $14
                        (i32.add
                          (i32.and (i32.shr_u (i32.wrap_i64 (local.get $12)) (i32.const 8)) (i32.const 65520))
                          (local.get $dataTlb))))
                    (i64.and (local.get $12) (i64.const -4089)))
                  (then
                    (i64.load (i32.add (i32.wrap_i64 (local.get $12)) (i32.load offset=8 (local.get $14)))))
                  (else
                    (call $load (local.get $hart) (local.get $12) (i32.const 3))
                    (if
                      (i32.load offset=536 (;signal;) (local.get $hart))
                      (then
                        (local.set $exit (i64.const 49665))
                        (br $block2))))))
              (local.set $a0 (local.get $13))
              (local.set $13 (i64.and (local.get $a0) (i64.const -2)))
              (local.set $pc (local.get $13))
              (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
              (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
              (if
                (i32.lt_s (i32.load offset=528 (;budget;) (local.get $hart)) (i32.const 0))
                (then
                  (return (i64.or (local.get $pc) (i64.const 1)))))
              (block $block5
                (br_if $block5
                  (i64.ne
                    (i64.load offset=1048576
                      (local.tee $14
                        (i32.add
                          (i32.and (i32.shl (i32.wrap_i64 (local.get $pc)) (i32.const 3)) (i32.const 524272))
                          (local.get $hart))))
                    (local.get $pc)))
                (br_if $block5
                  (i32.ne
                    (i32.load offset=1048584 (local.get $14))
                    (i32.load offset=556 (;fetchSpace;) (local.get $hart))))
                (local.set $15 (i32.load offset=1048588 (local.get $14)))
                (return_call_indirect (type 3)
                  (local.get $hart)
                  (local.get $depth)
                  (i32.and (local.get $15) (i32.const 255))
                  (local.get $pc)
                  (i32.shr_u (local.get $15) (i32.const 8))))
              (return (local.get $pc))))
          (unreachable)))
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
