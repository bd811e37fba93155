;; Atomic operations are calls of the runtime module, atomic as the guest has several harts.
;;
;;         amoadd.w.aqrl a2, a1, (a0)
;;         amoswap.d a3, a1, (a0)
;;   again: lr.w a4, (a0)
;;         add a4, a4, a1
;;         sc.w a5, a4, (a0)
;;         bnez a5, again
;;         fence
;;         ret
;;
(module
  (type (func (param i32 i32 i64 i64) (result i64)))
  (type (func (param i32 i32)))
  (type (func (param i32 i32 i64 i32 i32) (result i64)))
  (type (func (param i32 i32 i32 i64) (result i64)))
  (type (func (param i32 i64 i64) (result i64)))
  (type (func (param i32 i64) (result i64)))
  (import "env" "memory" (memory 1 65536 shared))
  (import "env" "regions" (table 0 funcref))
  (import "run" "resume" (func $resume (type 0)))
  (import "run" "enter" (func $enter (type 1)))
  (import "run" "depart" (func $depart (type 2)))
  (import "runtime" "add4" (func $add4 (type 4)))
  (import "runtime" "swap8" (func $swap8 (type 4)))
  (import "runtime" "loadReserved4" (func $loadReserved4 (type 5)))
  (import "runtime" "storeConditional4" (func $storeConditional4 (type 4)))
  (func $cold (param $hart i32) (param $depth i32) (param $entry i32) (param $pc i64) (result i64)
    (local $home i64) (local $budget i32) (local $exit i64) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64) (local $a4 i64) (local $a5 i64) (local $14 i64)
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
          (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
          (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
          (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
          (local.set $a2 (i64.load offset=96 (;a2;) (local.get $hart)))
          (local.set $a3 (i64.load offset=104 (;a3;) (local.get $hart)))
          (local.set $a4 (i64.load offset=112 (;a4;) (local.get $hart)))
          (local.set $a5 (i64.load offset=120 (;a5;) (local.get $hart)))
          (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
          (local.set $14 (call $add4 (local.get $hart) (local.get $a0) (local.get $a1)))
          (if
            (i32.load offset=536 (;signal;) (local.get $hart))
            (then
              (local.set $exit (i64.const 513))
              (br $block2)))
          (local.set $a2 (local.get $14))
          (local.set $14 (call $swap8 (local.get $hart) (local.get $a0) (local.get $a1)))
          (if
            (i32.load offset=536 (;signal;) (local.get $hart))
            (then
              (local.set $exit (i64.const 16896))
              (br $block2)))
          (local.set $a3 (local.get $14))
          (loop $loop4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 4)))
            (local.set $14 (call $loadReserved4 (local.get $hart) (local.get $a0)))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 33283))
                (br $block2)))
            (local.set $a4 (local.get $14))
            (local.set $a4 (i64.add (local.get $a4) (local.get $a1)))
            (local.set $14 (call $storeConditional4 (local.get $hart) (local.get $a0) (local.get $a4)))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 66049))
                (br $block2)))
            (local.set $a5 (local.get $14))
            (if
              (i32.eqz (i64.eqz (local.get $a5)))
              (then
                (if
                  (i32.lt_s (local.get $budget) (i32.const 0))
                  (then
                    (local.set $exit (i64.const 33280))
                    (br $block2)))
                (br $loop4))
              (else
                (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
                (atomic.fence)
                (local.set $14 (i64.and (local.get $ra) (i64.const -2)))
                (local.set $pc (local.get $14))
                (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
                (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
                (i64.store offset=112 (;a4;) (local.get $hart) (local.get $a4))
                (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
                (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                (return (local.get $pc)))))
          (unreachable)))
      (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
      (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
      (i64.store offset=112 (;a4;) (local.get $hart) (local.get $a4))
      (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
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
    (local $home i64) (local $budget i32) (local $exit i64) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64) (local $a4 i64) (local $a5 i64) (local $14 i64)
    (block $block1
      (block $block2
        (block
          (local.set $home (local.get $pc))
          (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
          (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
          (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
          (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
          (local.set $a2 (i64.load offset=96 (;a2;) (local.get $hart)))
          (local.set $a3 (i64.load offset=104 (;a3;) (local.get $hart)))
          (local.set $a4 (i64.load offset=112 (;a4;) (local.get $hart)))
          (local.set $a5 (i64.load offset=120 (;a5;) (local.get $hart)))
          (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
          (local.set $14 (call $add4 (local.get $hart) (local.get $a0) (local.get $a1)))
          (if
            (i32.load offset=536 (;signal;) (local.get $hart))
            (then
              (local.set $exit (i64.const 513))
              (br $block2)))
          (local.set $a2 (local.get $14))
          (local.set $14 (call $swap8 (local.get $hart) (local.get $a0) (local.get $a1)))
          (if
            (i32.load offset=536 (;signal;) (local.get $hart))
            (then
              (local.set $exit (i64.const 16896))
              (br $block2)))
          (local.set $a3 (local.get $14))
          (loop $loop4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 4)))
            (local.set $14 (call $loadReserved4 (local.get $hart) (local.get $a0)))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 33283))
                (br $block2)))
            (local.set $a4 (local.get $14))
            (local.set $a4 (i64.add (local.get $a4) (local.get $a1)))
            (local.set $14 (call $storeConditional4 (local.get $hart) (local.get $a0) (local.get $a4)))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 66049))
                (br $block2)))
            (local.set $a5 (local.get $14))
            (if
              (i32.eqz (i64.eqz (local.get $a5)))
              (then
                (if
                  (i32.lt_s (local.get $budget) (i32.const 0))
                  (then
                    (local.set $exit (i64.const 33280))
                    (br $block2)))
                (br $loop4))
              (else
                (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
                (atomic.fence)
                (local.set $14 (i64.and (local.get $ra) (i64.const -2)))
                (local.set $pc (local.get $14))
                (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
                (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
                (i64.store offset=112 (;a4;) (local.get $hart) (local.get $a4))
                (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
                (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                (return (local.get $pc)))))
          (unreachable)))
      (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
      (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
      (i64.store offset=112 (;a4;) (local.get $hart) (local.get $a4))
      (i64.store offset=120 (;a5;) (local.get $hart) (local.get $a5))
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
