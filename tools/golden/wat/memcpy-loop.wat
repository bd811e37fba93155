;; Two pointers, two TLB probes for each round, nothing else in memory.
;;
;;   loop: ld t0, 0(a1)
;;         ld t1, 8(a1)
;;         sd t0, 0(a0)
;;         sd t1, 8(a0)
;;         addi a1, a1, 16
;;         addi a0, a0, 16
;;         addi a2, a2, -16
;;         bgtz a2, loop
;;         ret
;;
(module
  (type (func (param i32 i32 i64 i64) (result i64)))
  (type (func (param i32 i32)))
  (type (func (param i32 i32 i64 i32 i32) (result i64)))
  (type (func (param i32 i32 i32 i64) (result i64)))
  (type (func (param i32 i64) (result i64)))
  (type (func (param i32 i64 i64)))
  (type (func (param i32 i64 i32) (result i64)))
  (type (func (param i32 i64 i32 i64)))
  (import "env" "memory" (memory 1 65536 shared))
  (import "env" "regions" (table 0 funcref))
  (import "run" "resume" (func $resume (type 0)))
  (import "run" "enter" (func $enter (type 1)))
  (import "run" "depart" (func $depart (type 2)))
  (import "runtime" "load8" (func $load8 (type 4)))
  (import "runtime" "store8" (func $store8 (type 5)))
  (import "runtime" "load" (func $load (type 6)))
  (import "runtime" "store" (func $store (type 7)))
  (func $cold (param $hart i32) (param $depth i32) (param $entry i32) (param $pc i64) (result i64)
    (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $t0 i64) (local $t1 i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $14 i64)
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
          (local.set $t0 (i64.load offset=40 (;t0;) (local.get $hart)))
          (local.set $t1 (i64.load offset=48 (;t1;) (local.get $hart)))
          (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
          (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
          (local.set $a2 (i64.load offset=96 (;a2;) (local.get $hart)))
          (loop $loop4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 8)))
            (local.set $14 (call $load8 (local.get $hart) (local.get $a1)))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 519))
                (br $block2)))
            (local.set $t0 (local.get $14))
            (local.set $14 (call $load8 (local.get $hart) (i64.add (local.get $a1) (i64.const 8))))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 16902))
                (br $block2)))
            (local.set $t1 (local.get $14))
            (call $store8 (local.get $hart) (local.get $a0) (local.get $t0))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 34309))
                (br $block2)))
            (call $store8 (local.get $hart) (i64.add (local.get $a0) (i64.const 8)) (local.get $t1))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 50692))
                (br $block2)))
            (local.set $a1 (i64.add (local.get $a1) (i64.const 16)))
            (local.set $a0 (i64.add (local.get $a0) (i64.const 16)))
            (local.set $a2 (i64.add (local.get $a2) (i64.const -16)))
            (if
              (i64.lt_s (i64.const 0) (local.get $a2))
              (then
                (if
                  (i32.lt_s (local.get $budget) (i32.const 0))
                  (then
                    (local.set $exit (i64.const 512))
                    (br $block2)))
                (br $loop4))
              (else
                (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
                (local.set $14 (i64.and (local.get $ra) (i64.const -2)))
                (local.set $pc (local.get $14))
                (i64.store offset=40 (;t0;) (local.get $hart) (local.get $t0))
                (i64.store offset=48 (;t1;) (local.get $hart) (local.get $t1))
                (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
                (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
                (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
                (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                (return (local.get $pc)))))
          (unreachable)))
      (i64.store offset=40 (;t0;) (local.get $hart) (local.get $t0))
      (i64.store offset=48 (;t1;) (local.get $hart) (local.get $t1))
      (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
      (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
      (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
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
    (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $t0 i64) (local $t1 i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $14 i64) (local $15 i64) (local $16 i32)
    (block $block1
      (block $block2
        (block
          (local.set $home (local.get $pc))
          (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
          (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
          (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
          (local.set $t0 (i64.load offset=40 (;t0;) (local.get $hart)))
          (local.set $t1 (i64.load offset=48 (;t1;) (local.get $hart)))
          (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
          (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
          (local.set $a2 (i64.load offset=96 (;a2;) (local.get $hart)))
          (loop $loop4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 8)))
            (local.set $14 (local.get $a1))
            (local.set $15
              (if (result i64)
                (i64.eq
                  (i64.load
                    (local.tee $16
                      (i32.add
                        (i32.and (i32.shr_u (i32.wrap_i64 (local.get $14)) (i32.const 8)) (i32.const 65520))
                        (local.get $dataTlb))))
                  (i64.and (local.get $14) (i64.const -4089)))
                (then
                  (i64.load (i32.add (i32.wrap_i64 (local.get $14)) (i32.load offset=8 (local.get $16)))))
                (else
                  (call $load (local.get $hart) (local.get $14) (i32.const 3))
                  (if
                    (i32.load offset=536 (;signal;) (local.get $hart))
                    (then
                      (local.set $exit (i64.const 519))
                      (br $block2))))))
            (local.set $t0 (local.get $15))
            (local.set $15 (i64.add (local.get $a1) (i64.const 8)))
            (local.set $14
              (if (result i64)
                (i64.eq
                  (i64.load
                    (local.tee $16
                      (i32.add
                        (i32.and (i32.shr_u (i32.wrap_i64 (local.get $15)) (i32.const 8)) (i32.const 65520))
                        (local.get $dataTlb))))
                  (i64.and (local.get $15) (i64.const -4089)))
                (then
                  (i64.load (i32.add (i32.wrap_i64 (local.get $15)) (i32.load offset=8 (local.get $16)))))
                (else
                  (call $load (local.get $hart) (local.get $15) (i32.const 3))
                  (if
                    (i32.load offset=536 (;signal;) (local.get $hart))
                    (then
                      (local.set $exit (i64.const 16902))
                      (br $block2))))))
            (local.set $t1 (local.get $14))
            (local.set $14 (local.get $a0))
            (if
              (i64.eq
                (i64.load offset=65536
                  (local.tee $16
                    (i32.add
                      (i32.and (i32.shr_u (i32.wrap_i64 (local.get $14)) (i32.const 8)) (i32.const 65520))
                      (local.get $dataTlb))))
                (i64.and (local.get $14) (i64.const -4089)))
              (then
                (i64.store
                  (i32.add (i32.wrap_i64 (local.get $14)) (i32.load offset=65544 (local.get $16)))
                  (local.get $t0)))
              (else
                (call $store (local.get $hart) (local.get $14) (i32.const 3) (local.get $t0))
                (if
                  (i32.load offset=536 (;signal;) (local.get $hart))
                  (then
                    (local.set $exit (i64.const 34309))
                    (br $block2)))))
            (local.set $14 (i64.add (local.get $a0) (i64.const 8)))
            (if
              (i64.eq
                (i64.load offset=65536
                  (local.tee $16
                    (i32.add
                      (i32.and (i32.shr_u (i32.wrap_i64 (local.get $14)) (i32.const 8)) (i32.const 65520))
                      (local.get $dataTlb))))
                (i64.and (local.get $14) (i64.const -4089)))
              (then
                (i64.store
                  (i32.add (i32.wrap_i64 (local.get $14)) (i32.load offset=65544 (local.get $16)))
                  (local.get $t1)))
              (else
                (call $store (local.get $hart) (local.get $14) (i32.const 3) (local.get $t1))
                (if
                  (i32.load offset=536 (;signal;) (local.get $hart))
                  (then
                    (local.set $exit (i64.const 50692))
                    (br $block2)))))
            (local.set $a1 (i64.add (local.get $a1) (i64.const 16)))
            (local.set $a0 (i64.add (local.get $a0) (i64.const 16)))
            (local.set $a2 (i64.add (local.get $a2) (i64.const -16)))
            (if
              (i64.lt_s (i64.const 0) (local.get $a2))
              (then
                (if
                  (i32.lt_s (local.get $budget) (i32.const 0))
                  (then
                    (local.set $exit (i64.const 512))
                    (br $block2)))
                (br $loop4))
              (else
                (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
                (local.set $14 (i64.and (local.get $ra) (i64.const -2)))
                (local.set $pc (local.get $14))
                (i64.store offset=40 (;t0;) (local.get $hart) (local.get $t0))
                (i64.store offset=48 (;t1;) (local.get $hart) (local.get $t1))
                (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
                (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
                (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
                (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                (return (local.get $pc)))))
          (unreachable)))
      (i64.store offset=40 (;t0;) (local.get $hart) (local.get $t0))
      (i64.store offset=48 (;t1;) (local.get $hart) (local.get $t1))
      (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
      (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
      (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
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
