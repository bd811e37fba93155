;; Doubles live in f64 locals; flags come out of checks beside the operation, the rounding mode out of a guard.
;;
;;   loop: fld fa1, 0(a0)
;;         fmadd.d fa0, fa1, fa2, fa0, dyn
;;         fmul.d fa3, fa0, fa1, dyn
;;         flt.d a3, fa3, fa0
;;         add a2, a2, a3
;;         addi a0, a0, 8
;;         bne a0, a1, loop
;;         fcvt.w.d a0, fa0, rtz
;;         csrrs a1, 1, zero
;;         ret
;;
(module
  (type (func (param i32 i32 i64 i64) (result i64)))
  (type (func (param i32 i32)))
  (type (func (param i32 i32 i64 i32 i32) (result i64)))
  (type (func (param i32 i32 i32 i64) (result i64)))
  (type (func (param i32 i32 i64 i64)))
  (type (func (param i32 i64) (result i64)))
  (type (func (param i32 i32 i64 i64 i64) (result i64)))
  (type (func (param i32 i32 i64) (result i64)))
  (type (func (param i32 i32 i32 i32 i64) (result i64)))
  (type (func (param i32 i64 i32) (result i64)))
  (import "env" "memory" (memory 1 65536 shared))
  (import "env" "regions" (table 0 funcref))
  (import "run" "resume" (func $resume (type 0)))
  (import "run" "enter" (func $enter (type 1)))
  (import "run" "depart" (func $depart (type 2)))
  (import "runtime" "system" (func $system (type 4)))
  (import "runtime" "load8" (func $load8 (type 5)))
  (import "float" "fma.f64" (func $fma.f64 (type 6)))
  (import "float" "mul.f64" (func $mul.f64 (type 0)))
  (import "float" "lt.f64" (func $lt.f64 (type 0)))
  (import "float" "convert.i32.f64" (func $convert.i32.f64 (type 7)))
  (import "runtime" "csr" (func $csr (type 8)))
  (import "runtime" "load" (func $load (type 9)))
  (func $cold (param $hart i32) (param $depth i32) (param $entry i32) (param $pc i64) (result i64)
    (local $4 i32) (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64) (local $fa0 f64) (local $fa1 f64) (local $fa2 f64) (local $fa3 f64) (local $18 i64) (local $19 f64)
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
          (local.set $4
            (select
              (i32.const -50331649)
              (i32.const 0)
              (i32.and
                (i64.eq
                  (i64.and (i64.load offset=656 (;frm;) (local.get $hart)) (i64.const 4294967303))
                  (i64.const 4294967296))
                (i32.load offset=648 (;floatEnabled;) (local.get $hart)))))
          (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
          (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
          (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
          (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
          (local.set $a2 (i64.load offset=96 (;a2;) (local.get $hart)))
          (local.set $a3 (i64.load offset=104 (;a3;) (local.get $hart)))
          (local.set $fa0 (f64.load offset=336 (;fa0;) (local.get $hart)))
          (local.set $fa1 (f64.load offset=344 (;fa1;) (local.get $hart)))
          (local.set $fa2 (f64.load offset=352 (;fa2;) (local.get $hart)))
          (local.set $fa3 (f64.load offset=360 (;fa3;) (local.get $hart)))
          (loop $loop4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 7)))
            (if
              (i32.eqz (local.get $4))
              (then
                (if
                  (i32.eqz (i32.load offset=648 (;floatEnabled;) (local.get $hart)))
                  (then
                    (i64.store offset=512 (;pc;) (local.get $hart) (local.get $home))
                    (i32.store offset=528 (;budget;)
                      (local.get $hart)
                      (i32.add (local.get $budget) (i32.const 6)))
                    (call $system (local.get $hart) (i32.const 16) (i64.const 0) (i64.const 0))
                    (if
                      (i32.load offset=536 (;signal;) (local.get $hart))
                      (then
                        (local.set $exit (i64.const 1542))
                        (br $block2)))))
                (local.set $4
                  (select
                    (i32.const -50331649)
                    (i32.const 0)
                    (i32.and
                      (i64.eq
                        (i64.and (i64.load offset=656 (;frm;) (local.get $hart)) (i64.const 4294967303))
                        (i64.const 4294967296))
                      (i32.load offset=648 (;floatEnabled;) (local.get $hart)))))))
            (local.set $18 (call $load8 (local.get $hart) (local.get $a0)))
            (if
              (i32.load offset=536 (;signal;) (local.get $hart))
              (then
                (local.set $exit (i64.const 518))
                (br $block2)))
            (local.set $fa1 (f64.reinterpret_i64 (local.get $18)))
            (i32.store offset=652 (;floatDirty;) (local.get $hart) (i32.const 1))
            (if
              (i32.eqz (local.get $4))
              (then
                (if
                  (i32.gt_u (i32.load offset=656 (;frm;) (local.get $hart)) (i32.const 4))
                  (then
                    (i64.store offset=512 (;pc;) (local.get $hart) (i64.add (local.get $home) (i64.const 4)))
                    (i32.store offset=528 (;budget;)
                      (local.get $hart)
                      (i32.add (local.get $budget) (i32.const 5)))
                    (call $system (local.get $hart) (i32.const 16) (i64.const 0) (i64.const 0))
                    (if
                      (i32.load offset=536 (;signal;) (local.get $hart))
                      (then
                        (local.set $exit (i64.const 17925))
                        (br $block2)))))))
            (if
              (i32.ge_u
                (i32.sub
                  (i32.shl
                    (i32.wrap_i64
                      (i64.shr_u
                        (i64.reinterpret_f64
                          (local.tee $19
                            (f64x2.extract_lane 0
                              (f64x2.relaxed_madd
                                (f64x2.splat (local.get $fa1))
                                (f64x2.splat (local.get $fa2))
                                (f64x2.splat (local.get $fa0))))))
                        (i64.const 32)))
                    (i32.const 1))
                  (i32.const 4194304))
                (local.get $4))
              (then
                (local.set $19
                  (f64.reinterpret_i64
                    (call $fma.f64
                      (local.get $hart)
                      (i32.const 7)
                      (i64.reinterpret_f64 (local.get $fa1))
                      (i64.reinterpret_f64 (local.get $fa2))
                      (i64.reinterpret_f64 (local.get $fa0)))))))
            (local.set $fa0 (local.get $19))
            (if
              (i32.ge_u
                (i32.sub
                  (i32.shl
                    (i32.wrap_i64
                      (i64.shr_u
                        (i64.reinterpret_f64 (local.tee $19 (f64.mul (local.get $fa0) (local.get $fa1))))
                        (i64.const 32)))
                    (i32.const 1))
                  (i32.const 4194304))
                (local.get $4))
              (then
                (local.set $19
                  (f64.reinterpret_i64
                    (call $mul.f64
                      (local.get $hart)
                      (i32.const 7)
                      (i64.reinterpret_f64 (local.get $fa0))
                      (i64.reinterpret_f64 (local.get $fa1)))))))
            (local.set $fa3 (local.get $19))
            (if
              (i32.eqz
                (i32.or
                  (i32.wrap_i64 (local.tee $18 (i64.extend_i32_u (f64.lt (local.get $fa3) (local.get $fa0)))))
                  (f64.ge (local.get $fa3) (local.get $fa0))))
              (then
                (local.set $18
                  (call $lt.f64
                    (local.get $hart)
                    (i32.const 0)
                    (i64.reinterpret_f64 (local.get $fa3))
                    (i64.reinterpret_f64 (local.get $fa0))))))
            (local.set $a3 (local.get $18))
            (local.set $a2 (i64.add (local.get $a2) (local.get $a3)))
            (local.set $a0 (i64.add (local.get $a0) (i64.const 8)))
            (if
              (i32.eqz (i64.eq (local.get $a0) (local.get $a1)))
              (then
                (if
                  (i32.lt_s (local.get $budget) (i32.const 0))
                  (then
                    (local.set $exit (i64.const 512))
                    (br $block2)))
                (br $loop4))
              (else
                (local.set $budget (i32.sub (local.get $budget) (i32.const 3)))
                (if
                  (i32.eqz (local.get $4))
                  (then
                    (if
                      (i32.eqz (i32.load offset=648 (;floatEnabled;) (local.get $hart)))
                      (then
                        (i64.store offset=512 (;pc;)
                          (local.get $hart)
                          (i64.add (local.get $home) (i64.const 28)))
                        (i32.store offset=528 (;budget;)
                          (local.get $hart)
                          (i32.add (local.get $budget) (i32.const 2)))
                        (call $system (local.get $hart) (i32.const 16) (i64.const 0) (i64.const 0))
                        (if
                          (i32.load offset=536 (;signal;) (local.get $hart))
                          (then
                            (local.set $exit (i64.const 116226))
                            (br $block2)))))
                    (local.set $4
                      (select
                        (i32.const -50331649)
                        (i32.const 0)
                        (i32.and
                          (i64.eq
                            (i64.and (i64.load offset=656 (;frm;) (local.get $hart)) (i64.const 4294967303))
                            (i64.const 4294967296))
                          (i32.load offset=648 (;floatEnabled;) (local.get $hart)))))))
                (local.set $18 (i64.trunc_sat_f64_s (local.tee $19 (local.get $fa0))))
                (i32.eqz
                  (i32.and
                    (f64.lt (f64.abs (local.get $19)) (f64.const 0x1p+31))
                    (i32.or (f64.eq (f64.convert_i64_s (local.get $18)) (local.get $fa0)) (local.get $4))))
                (local.set $18 (i64.extend32_s (local.get $18)))
                (if
                  (then
                    (local.set $18
                      (call $convert.i32.f64
                        (local.get $hart)
                        (i32.const 1)
                        (i64.reinterpret_f64 (local.get $fa0))))))
                (local.set $a0 (local.get $18))
                (i64.store offset=512 (;pc;) (local.get $hart) (i64.add (local.get $home) (i64.const 32)))
                (i32.store offset=528 (;budget;)
                  (local.get $hart)
                  (i32.add (local.get $budget) (i32.const 1)))
                (local.set $18
                  (call $csr
                    (local.get $hart)
                    (i32.const 1)
                    (i32.const 1)
                    (i32.or
                      (i64.ne (i64.const 0) (i64.const 0))
                      (i32.shl (i64.ne (i64.const 1) (i64.const 0)) (i32.const 1)))
                    (i64.const 0)))
                (if
                  (i32.eq (i32.load offset=536 (;signal;) (local.get $hart)) (i32.const 1))
                  (then
                    (local.set $exit (i64.const 131585))
                    (br $block2)))
                (local.set $a1 (local.get $18))
                (if
                  (i32.load offset=536 (;signal;) (local.get $hart))
                  (then
                    (local.set $exit (i64.const 132609))
                    (br $block2)))
                (local.set $4
                  (select
                    (i32.const -50331649)
                    (i32.const 0)
                    (i32.and
                      (i64.eq
                        (i64.and (i64.load offset=656 (;frm;) (local.get $hart)) (i64.const 4294967303))
                        (i64.const 4294967296))
                      (i32.load offset=648 (;floatEnabled;) (local.get $hart)))))
                (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
                (local.set $18 (i64.and (local.get $ra) (i64.const -2)))
                (local.set $pc (local.get $18))
                (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
                (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
                (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
                (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
                (f64.store offset=336 (;fa0;) (local.get $hart) (local.get $fa0))
                (f64.store offset=344 (;fa1;) (local.get $hart) (local.get $fa1))
                (f64.store offset=360 (;fa3;) (local.get $hart) (local.get $fa3))
                (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                (return (local.get $pc)))))
          (unreachable)))
      (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
      (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
      (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
      (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
      (f64.store offset=336 (;fa0;) (local.get $hart) (local.get $fa0))
      (f64.store offset=344 (;fa1;) (local.get $hart) (local.get $fa1))
      (f64.store offset=360 (;fa3;) (local.get $hart) (local.get $fa3))
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
    (local $4 i32) (local $home i64) (local $budget i32) (local $exit i64) (local $dataTlb i32) (local $ra i64) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64) (local $fa0 f64) (local $fa1 f64) (local $fa2 f64) (local $fa3 f64) (local $18 i64) (local $19 f64) (local $20 i32)
    (block $block1
      (block $block2
        (block
          (local.set $home (local.get $pc))
          (local.set $budget (i32.load offset=528 (;budget;) (local.get $hart)))
          (local.set $4
            (select
              (i32.const -50331649)
              (i32.const 0)
              (i32.and
                (i64.eq
                  (i64.and (i64.load offset=656 (;frm;) (local.get $hart)) (i64.const 4294967303))
                  (i64.const 4294967296))
                (i32.load offset=648 (;floatEnabled;) (local.get $hart)))))
          (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
          (local.set $ra (i64.load offset=8 (;ra;) (local.get $hart)))
          (local.set $a0 (i64.load offset=80 (;a0;) (local.get $hart)))
          (local.set $a1 (i64.load offset=88 (;a1;) (local.get $hart)))
          (local.set $a2 (i64.load offset=96 (;a2;) (local.get $hart)))
          (local.set $a3 (i64.load offset=104 (;a3;) (local.get $hart)))
          (local.set $fa0 (f64.load offset=336 (;fa0;) (local.get $hart)))
          (local.set $fa1 (f64.load offset=344 (;fa1;) (local.get $hart)))
          (local.set $fa2 (f64.load offset=352 (;fa2;) (local.get $hart)))
          (local.set $fa3 (f64.load offset=360 (;fa3;) (local.get $hart)))
          (loop $loop4
            (local.set $budget (i32.sub (local.get $budget) (i32.const 7)))
            (if
              (i32.eqz (local.get $4))
              (then
                (if
                  (i32.eqz (i32.load offset=648 (;floatEnabled;) (local.get $hart)))
                  (then
                    (i64.store offset=512 (;pc;) (local.get $hart) (local.get $home))
                    (i32.store offset=528 (;budget;)
                      (local.get $hart)
                      (i32.add (local.get $budget) (i32.const 6)))
                    (call $system (local.get $hart) (i32.const 16) (i64.const 0) (i64.const 0))
                    (if
                      (i32.load offset=536 (;signal;) (local.get $hart))
                      (then
                        (local.set $exit (i64.const 1542))
                        (br $block2)))))
                (local.set $4
                  (select
                    (i32.const -50331649)
                    (i32.const 0)
                    (i32.and
                      (i64.eq
                        (i64.and (i64.load offset=656 (;frm;) (local.get $hart)) (i64.const 4294967303))
                        (i64.const 4294967296))
                      (i32.load offset=648 (;floatEnabled;) (local.get $hart)))))))
            (local.set $18 (local.get $a0))
            (local.set $19
              (if (result f64)
                (i64.eq
                  (i64.load
                    (local.tee $20
                      (i32.add
                        (i32.and (i32.shr_u (i32.wrap_i64 (local.get $18)) (i32.const 8)) (i32.const 65520))
                        (local.get $dataTlb))))
                  (i64.and (local.get $18) (i64.const -4089)))
                (then
                  (f64.load (i32.add (i32.wrap_i64 (local.get $18)) (i32.load offset=8 (local.get $20)))))
                (else
                  (f64.reinterpret_i64 (call $load (local.get $hart) (local.get $18) (i32.const 3)))
                  (if
                    (i32.load offset=536 (;signal;) (local.get $hart))
                    (then
                      (local.set $exit (i64.const 518))
                      (br $block2))))))
            (local.set $fa1 (local.get $19))
            (i32.store offset=652 (;floatDirty;) (local.get $hart) (i32.const 1))
            (if
              (i32.eqz (local.get $4))
              (then
                (if
                  (i32.gt_u (i32.load offset=656 (;frm;) (local.get $hart)) (i32.const 4))
                  (then
                    (i64.store offset=512 (;pc;) (local.get $hart) (i64.add (local.get $home) (i64.const 4)))
                    (i32.store offset=528 (;budget;)
                      (local.get $hart)
                      (i32.add (local.get $budget) (i32.const 5)))
                    (call $system (local.get $hart) (i32.const 16) (i64.const 0) (i64.const 0))
                    (if
                      (i32.load offset=536 (;signal;) (local.get $hart))
                      (then
                        (local.set $exit (i64.const 17925))
                        (br $block2)))))))
            (if
              (i32.ge_u
                (i32.sub
                  (i32.shl
                    (i32.wrap_i64
                      (i64.shr_u
                        (i64.reinterpret_f64
                          (local.tee $19
                            (f64x2.extract_lane 0
                              (f64x2.relaxed_madd
                                (f64x2.splat (local.get $fa1))
                                (f64x2.splat (local.get $fa2))
                                (f64x2.splat (local.get $fa0))))))
                        (i64.const 32)))
                    (i32.const 1))
                  (i32.const 4194304))
                (local.get $4))
              (then
                (local.set $19
                  (f64.reinterpret_i64
                    (call $fma.f64
                      (local.get $hart)
                      (i32.const 7)
                      (i64.reinterpret_f64 (local.get $fa1))
                      (i64.reinterpret_f64 (local.get $fa2))
                      (i64.reinterpret_f64 (local.get $fa0)))))))
            (local.set $fa0 (local.get $19))
            (if
              (i32.ge_u
                (i32.sub
                  (i32.shl
                    (i32.wrap_i64
                      (i64.shr_u
                        (i64.reinterpret_f64 (local.tee $19 (f64.mul (local.get $fa0) (local.get $fa1))))
                        (i64.const 32)))
                    (i32.const 1))
                  (i32.const 4194304))
                (local.get $4))
              (then
                (local.set $19
                  (f64.reinterpret_i64
                    (call $mul.f64
                      (local.get $hart)
                      (i32.const 7)
                      (i64.reinterpret_f64 (local.get $fa0))
                      (i64.reinterpret_f64 (local.get $fa1)))))))
            (local.set $fa3 (local.get $19))
            (if
              (i32.eqz
                (i32.or
                  (i32.wrap_i64 (local.tee $18 (i64.extend_i32_u (f64.lt (local.get $fa3) (local.get $fa0)))))
                  (f64.ge (local.get $fa3) (local.get $fa0))))
              (then
                (local.set $18
                  (call $lt.f64
                    (local.get $hart)
                    (i32.const 0)
                    (i64.reinterpret_f64 (local.get $fa3))
                    (i64.reinterpret_f64 (local.get $fa0))))))
            (local.set $a3 (local.get $18))
            (local.set $a2 (i64.add (local.get $a2) (local.get $a3)))
            (local.set $a0 (i64.add (local.get $a0) (i64.const 8)))
            (if
              (i32.eqz (i64.eq (local.get $a0) (local.get $a1)))
              (then
                (if
                  (i32.lt_s (local.get $budget) (i32.const 0))
                  (then
                    (local.set $exit (i64.const 512))
                    (br $block2)))
                (br $loop4))
              (else
                (local.set $budget (i32.sub (local.get $budget) (i32.const 3)))
                (if
                  (i32.eqz (local.get $4))
                  (then
                    (if
                      (i32.eqz (i32.load offset=648 (;floatEnabled;) (local.get $hart)))
                      (then
                        (i64.store offset=512 (;pc;)
                          (local.get $hart)
                          (i64.add (local.get $home) (i64.const 28)))
                        (i32.store offset=528 (;budget;)
                          (local.get $hart)
                          (i32.add (local.get $budget) (i32.const 2)))
                        (call $system (local.get $hart) (i32.const 16) (i64.const 0) (i64.const 0))
                        (if
                          (i32.load offset=536 (;signal;) (local.get $hart))
                          (then
                            (local.set $exit (i64.const 116226))
                            (br $block2)))))
                    (local.set $4
                      (select
                        (i32.const -50331649)
                        (i32.const 0)
                        (i32.and
                          (i64.eq
                            (i64.and (i64.load offset=656 (;frm;) (local.get $hart)) (i64.const 4294967303))
                            (i64.const 4294967296))
                          (i32.load offset=648 (;floatEnabled;) (local.get $hart)))))))
                (local.set $18 (i64.trunc_sat_f64_s (local.tee $19 (local.get $fa0))))
                (i32.eqz
                  (i32.and
                    (f64.lt (f64.abs (local.get $19)) (f64.const 0x1p+31))
                    (i32.or (f64.eq (f64.convert_i64_s (local.get $18)) (local.get $fa0)) (local.get $4))))
                (local.set $18 (i64.extend32_s (local.get $18)))
                (if
                  (then
                    (local.set $18
                      (call $convert.i32.f64
                        (local.get $hart)
                        (i32.const 1)
                        (i64.reinterpret_f64 (local.get $fa0))))))
                (local.set $a0 (local.get $18))
                (i64.store offset=512 (;pc;) (local.get $hart) (i64.add (local.get $home) (i64.const 32)))
                (i32.store offset=528 (;budget;)
                  (local.get $hart)
                  (i32.add (local.get $budget) (i32.const 1)))
                (local.set $18
                  (call $csr
                    (local.get $hart)
                    (i32.const 1)
                    (i32.const 1)
                    (i32.or
                      (i64.ne (i64.const 0) (i64.const 0))
                      (i32.shl (i64.ne (i64.const 1) (i64.const 0)) (i32.const 1)))
                    (i64.const 0)))
                (if
                  (i32.eq (i32.load offset=536 (;signal;) (local.get $hart)) (i32.const 1))
                  (then
                    (local.set $exit (i64.const 131585))
                    (br $block2)))
                (local.set $a1 (local.get $18))
                (if
                  (i32.load offset=536 (;signal;) (local.get $hart))
                  (then
                    (local.set $exit (i64.const 132609))
                    (br $block2)))
                (local.set $4
                  (select
                    (i32.const -50331649)
                    (i32.const 0)
                    (i32.and
                      (i64.eq
                        (i64.and (i64.load offset=656 (;frm;) (local.get $hart)) (i64.const 4294967303))
                        (i64.const 4294967296))
                      (i32.load offset=648 (;floatEnabled;) (local.get $hart)))))
                (local.set $dataTlb (i32.load offset=548 (;dataTlb;) (local.get $hart)))
                (local.set $18 (i64.and (local.get $ra) (i64.const -2)))
                (local.set $pc (local.get $18))
                (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
                (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
                (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
                (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
                (f64.store offset=336 (;fa0;) (local.get $hart) (local.get $fa0))
                (f64.store offset=344 (;fa1;) (local.get $hart) (local.get $fa1))
                (f64.store offset=360 (;fa3;) (local.get $hart) (local.get $fa3))
                (i32.store offset=528 (;budget;) (local.get $hart) (local.get $budget))
                (return (local.get $pc)))))
          (unreachable)))
      (i64.store offset=80 (;a0;) (local.get $hart) (local.get $a0))
      (i64.store offset=88 (;a1;) (local.get $hart) (local.get $a1))
      (i64.store offset=96 (;a2;) (local.get $hart) (local.get $a2))
      (i64.store offset=104 (;a3;) (local.get $hart) (local.get $a3))
      (f64.store offset=336 (;fa0;) (local.get $hart) (local.get $fa0))
      (f64.store offset=344 (;fa1;) (local.get $hart) (local.get $fa1))
      (f64.store offset=360 (;fa3;) (local.get $hart) (local.get $fa3))
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
