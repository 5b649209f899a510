;; Has the host write all that it hands over to one and the same place, over each other.
;; answer: {"root":{"type":"text","text":"overlapping"}}
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 32768))
