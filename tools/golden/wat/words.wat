;; 32-bit arithmetic stays in i32, a rotation is found, and a word is widened once, where the block ends.
;;
;;   addw a0, a0, a1
;;   slliw a2, a0, 7
;;   srliw a3, a0, 25
;;   or a2, a2, a3
;;   subw a0, a2, a1
;;   mulw a0, a0, a2
;;   rolw a0, a0, a1
;;   blt a0, a1, away
;;   sext.b a0, a0
;;   away: ret
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
    (local $home i64) (local $budget i32) (local $exit i64) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64) (local $a0.word i32) (local $a2.word i32) (local $a3.word i32) (local $15 i64)
    (block
      (block
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
          (block $block4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 8)))
            (local.set $a0.word (i32.add (i32.wrap_i64 (local.get $a0)) (i32.wrap_i64 (local.get $a1))))
            (local.set $a2.word (i32.shl (local.get $a0.word) (i32.const 7)))
            (local.set $a3.word (i32.shr_u (local.get $a0.word) (i32.const 25)))
            (local.set $a2.word (i32.or (local.get $a2.word) (local.get $a3.word)))
            (local.set $a0.word (i32.sub (local.get $a2.word) (i32.wrap_i64 (local.get $a1))))
            (local.set $a0.word (i32.mul (local.get $a0.word) (local.get $a2.word)))
            (local.set $a0.word
              (i32.wrap_i64
                (i64.rotr
                  (i64.or
                    (i64.and (i64.extend_i32_s (local.get $a0.word)) (i64.const 4294967295))
                    (i64.shl (i64.extend_i32_s (local.get $a0.word)) (i64.const 32)))
                  (i64.sub (i64.const 64) (i64.and (local.get $a1) (i64.const 31))))))
            (i64.lt_s (i64.extend_i32_s (local.get $a0.word)) (local.get $a1))
            (local.set $a0 (i64.extend_i32_s (local.get $a0.word)))
            (local.set $a2 (i64.extend_i32_s (local.get $a2.word)))
            (local.set $a3 (i64.extend_i32_s (local.get $a3.word)))
            (if
              (then
                (br $block4))
              (else
                (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
                (local.set $a0 (i64.extend8_s (local.get $a0)))
                (br $block4))))
          (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
          (local.set $15 (i64.and (local.get $ra) (i64.const -2)))
          (local.set $pc (local.get $15))
          (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
          (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
          (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
          (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
          (return (local.get $pc))
          (unreachable)))
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
    (local $home i64) (local $budget i32) (local $exit i64) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64) (local $a0.word i32) (local $a2.word i32) (local $a3.word i32) (local $15 i64)
    (block
      (block
        (block
          (local.set $home (local.get $pc))
          (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
          (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
          (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
          (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
          (local.set $a2 (i64.load offset=96 (;a2;) (local.get $hart)))
          (local.set $a3 (i64.load offset=104 (;a3;) (local.get $hart)))
          (block $block4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 8)))
            (local.set $a0.word (i32.add (i32.wrap_i64 (local.get $a0)) (i32.wrap_i64 (local.get $a1))))
            (local.set $a2.word (i32.shl (local.get $a0.word) (i32.const 7)))
            (local.set $a3.word (i32.shr_u (local.get $a0.word) (i32.const 25)))
            (local.set $a2.word (i32.or (local.get $a2.word) (local.get $a3.word)))
            (local.set $a0.word (i32.sub (local.get $a2.word) (i32.wrap_i64 (local.get $a1))))
            (local.set $a0.word (i32.mul (local.get $a0.word) (local.get $a2.word)))
            (local.set $a0.word
              (i32.wrap_i64
                (i64.rotr
                  (i64.or
                    (i64.and (i64.extend_i32_s (local.get $a0.word)) (i64.const 4294967295))
                    (i64.shl (i64.extend_i32_s (local.get $a0.word)) (i64.const 32)))
                  (i64.sub (i64.const 64) (i64.and (local.get $a1) (i64.const 31))))))
            (i64.lt_s (i64.extend_i32_s (local.get $a0.word)) (local.get $a1))
            (local.set $a0 (i64.extend_i32_s (local.get $a0.word)))
            (local.set $a2 (i64.extend_i32_s (local.get $a2.word)))
            (local.set $a3 (i64.extend_i32_s (local.get $a3.word)))
            (if
              (then
                (br $block4))
              (else
                (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
                (local.set $a0 (i64.extend8_s (local.get $a0)))
                (br $block4))))
          (local.set $budget (i32.sub (local.get $budget) (i32.const 1)))
          (local.set $15 (i64.and (local.get $ra) (i64.const -2)))
          (local.set $pc (local.get $15))
          (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
          (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
          (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
          (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
          (return (local.get $pc))
          (unreachable)))
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
