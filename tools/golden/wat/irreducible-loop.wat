;; A loop with two entries gets a dispatch node: edges choose by a local where it goes.
;;
;;         beqz a0, middle
;;   head: addi a1, a1, 1
;;         beq a1, a2, out
;;   middle: addi a3, a3, 2
;;         bne a3, a4, head
;;   out:  ret
;;
(module
  (type (func (param i32 i32 i64 i64) (result i64)))
  (type (func (param i32 i32)))
  (type (func (param i32 i32 i64 i32 i32) (result i64)))
  (type (func (param i32 i32 i32 i64) (result i64)))
  (import "env" "memory" (memory 1 65536 shared))
  (import "env" "regions" (table 0 funcref))
  (import "run" "resume" (func $resume (type 0)))
  (import "run" "enter" (func $enter (type 1)))
  (import "run" "depart" (func $depart (type 2)))
  (func $cold (param $hart i32) (param $depth i32) (param $entry i32) (param $pc i64) (result i64)
    (local $home i64) (local $budget i32) (local $exit i64) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64) (local $a4 i64) (local $13 i32) (local $14 i32) (local $15 i64)
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
          (block $block4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
            (if
              (i64.eqz (local.get $a0))
              (then
                (br $block4))
              (else
                (local.set $13 (i32.const 1))
                (br $block4))))
          (loop $loop4
            (block $block5
              (block $block6
                (local.set $14 (local.get $13))
                (local.set $13 (i32.const 0))
                (if
                  (i32.eqz (local.get $14))
                  (then
                    (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
                    (local.set $a3 (i64.add (local.get $a3) (i64.const 2)))
                    (if
                      (i32.eqz (i64.eq (local.get $a3) (local.get $a4)))
                      (then
                        (br $block6))
                      (else
                        (br $block5)))))
                (block $block7
                  (br_table $block7 (i32.sub (local.get $14) (i32.const 1))))
                (br $block6))
              (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
              (local.set $a1 (i64.add (local.get $a1) (i64.const 1)))
              (if
                (i64.eq (local.get $a1) (local.get $a2))
                (then
                  (br $block5))
                (else
                  (if
                    (i32.lt_s (local.get $budget) (i32.const 0))
                    (then
                      (local.set $exit (i64.const 49664))
                      (br $block2)))
                  (br $loop4))))
            (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
            (local.set $15 (i64.and (local.get $ra) (i64.const -2)))
            (local.set $pc (local.get $15))
            (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
            (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
            (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
            (return (local.get $pc)))
          (unreachable)))
      (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
      (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
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
    (local $home i64) (local $budget i32) (local $exit i64) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64) (local $a4 i64) (local $13 i32) (local $14 i32) (local $15 i64)
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
          (block $block4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
            (if
              (i64.eqz (local.get $a0))
              (then
                (br $block4))
              (else
                (local.set $13 (i32.const 1))
                (br $block4))))
          (loop $loop4
            (block $block5
              (block $block6
                (local.set $14 (local.get $13))
                (local.set $13 (i32.const 0))
                (if
                  (i32.eqz (local.get $14))
                  (then
                    (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
                    (local.set $a3 (i64.add (local.get $a3) (i64.const 2)))
                    (if
                      (i32.eqz (i64.eq (local.get $a3) (local.get $a4)))
                      (then
                        (br $block6))
                      (else
                        (br $block5)))))
                (block $block7
                  (br_table $block7 (i32.sub (local.get $14) (i32.const 1))))
                (br $block6))
              (local.set $budget (i32.sub (local.get $budget) (i32.const 2)))
              (local.set $a1 (i64.add (local.get $a1) (i64.const 1)))
              (if
                (i64.eq (local.get $a1) (local.get $a2))
                (then
                  (br $block5))
                (else
                  (if
                    (i32.lt_s (local.get $budget) (i32.const 0))
                    (then
                      (local.set $exit (i64.const 49664))
                      (br $block2)))
                  (br $loop4))))
            (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
            (local.set $15 (i64.and (local.get $ra) (i64.const -2)))
            (local.set $pc (local.get $15))
            (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
            (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
            (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
            (return (local.get $pc)))
          (unreachable)))
      (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
      (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
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
