;; Has the host write beyond its memory.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0xffff0000))
