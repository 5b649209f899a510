//! Components that are hard on whoever reads or compiles them, and too large to be written down. Each is a function here
//! and a line in the list; a test names it as it names the guests of the folders beside this file.

use std::fmt::Write as _;

use wasm_encoder::{
    CodeSection, Component, CustomSection, EntityType, Function, FunctionSection, ImportSection, Instruction, Module,
    ModuleSection, NestedComponentSection, TypeSection, ValType,
};

use crate::made::{MANIFEST_SECTION, append_section, manifest};

/// Makes a component.
type Generate = fn() -> Vec<u8>;

/// By their names.
pub(crate) const GENERATED: &[(&str, Generate)] = &[
    ("data_segment_that_lies", data_segment_that_lies),
    ("deep_components", deep_components),
    ("deep_blocks", deep_blocks),
    ("giant_file", giant_file),
    ("giant_br_table", giant_br_table),
    ("giant_manifest", giant_manifest),
    ("heavy_function", heavy_function),
    ("long_names", long_names),
    ("manifest_alias_bomb", manifest_alias_bomb),
    ("many_functions", many_functions),
    ("many_imports", many_imports),
    ("many_instances", many_instances),
    ("many_locals", many_locals),
    ("many_modules", many_modules),
    ("many_types", many_types),
    ("no_manifest", no_manifest),
    ("truncated", truncated),
    ("two_manifests", two_manifests),
    ("type_bomb", type_bomb),
];

fn with_manifest(mut component: Component, text: &str) -> Vec<u8> {
    component.section(&CustomSection { name: MANIFEST_SECTION.into(), data: text.as_bytes().into() });
    component.finish()
}

fn around(name: &str, module: &Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    with_manifest(component, &manifest(name, ""))
}

fn of_text(name: &str, text: &str) -> Vec<u8> {
    let mut wasm = wat::parse_str(text).expect(name);
    append_section(&mut wasm, MANIFEST_SECTION, manifest(name, "").as_bytes());
    wasm
}

/// One function of no parameters, with so many locals and this body.
fn one_function(locals: u32, body: impl FnOnce(&mut Function)) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut function = Function::new([(locals, ValType::I64)]);
    body(&mut function);
    function.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module
}

/// Its data section says that it has a gigabyte; the file has none of it.
fn data_segment_that_lies() -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0\x05\x03\x01\0\x01".to_vec();
    // A data section of 2^30 bytes: one active segment at 0.
    module.extend(b"\x0b\x80\x80\x80\x80\x04\x01\0\x41\0\x0b\xf0\xff\xff\xff\x03");
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    wasm.extend([1, u8::try_from(module.len()).expect("a short one")]);
    wasm.extend(module);
    append_section(&mut wasm, MANIFEST_SECTION, manifest("data_segment_that_lies", "").as_bytes());
    wasm
}

/// Components in components in components.
fn deep_components() -> Vec<u8> {
    let mut inner = Component::new();
    for _ in 0..2_000 {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&inner));
        inner = outer;
    }
    with_manifest(inner, &manifest("deep_components", ""))
}

/// A hundred thousand blocks in one another.
fn deep_blocks() -> Vec<u8> {
    const DEPTH: usize = 100_000;
    let module = one_function(0, |function| {
        for _ in 0..DEPTH {
            function.instruction(&Instruction::Block(wasm_encoder::BlockType::Empty));
        }
        for depth in 0..DEPTH {
            function.instruction(&Instruction::I32Const(1));
            function.instruction(&Instruction::BrIf(u32::try_from((DEPTH - depth) / 2).expect("a label")));
            function.instruction(&Instruction::End);
        }
    });
    around("deep_blocks", &module)
}

/// More than a component may have.
fn giant_file() -> Vec<u8> {
    let mut wasm = of_text("giant_file", "(component)");
    append_section(&mut wasm, "padding", &vec![0; 32 * 1024 * 1024]);
    wasm
}

/// A jump with a million and more ways to go.
fn giant_br_table() -> Vec<u8> {
    let module = one_function(0, |function| {
        function.instruction(&Instruction::Block(wasm_encoder::BlockType::Empty));
        function.instruction(&Instruction::I32Const(1));
        function.instruction(&Instruction::BrTable(vec![0; 3_000_000].into(), 0));
        function.instruction(&Instruction::End);
    });
    around("giant_br_table", &module)
}

/// A manifest of many megabytes.
fn giant_manifest() -> Vec<u8> {
    with_manifest(Component::new(), &manifest("giant_manifest", &format!("description: {}", "x".repeat(20_000_000))))
}

/// One function of several megabytes, in which everything depends on everything.
fn heavy_function() -> Vec<u8> {
    const LOCALS: u32 = 1_000;
    let module = one_function(LOCALS, |function| {
        let mut number = 1_u32;
        for _ in 0..400_000 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            function.instruction(&Instruction::LocalGet(number >> 8 & 511));
            function.instruction(&Instruction::LocalGet(number >> 17 & 511));
            function.instruction(&Instruction::I64Mul);
            function.instruction(&Instruction::LocalSet(number >> 4 & 511));
        }
    });
    around("heavy_function", &module)
}

/// An import whose name is a megabyte long.
fn long_names() -> Vec<u8> {
    let mut imports = ImportSection::new();
    imports.import(&"x".repeat(1_000_000), "y", EntityType::Function(0));
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut module = Module::new();
    module.section(&types).section(&imports);
    around("long_names", &module)
}

/// A manifest that grows a billionfold when it is read.
fn manifest_alias_bomb() -> Vec<u8> {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..30 {
        let above = format!("*a{}, ", level - 1).repeat(10);
        writeln!(text, "a{level}: &a{level} [{above}]").expect("a text");
    }
    with_manifest(Component::new(), &manifest("manifest_alias_bomb", &text))
}

/// A million functions and one.
fn many_functions() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..=1_000_000 {
        functions.function(0);
        code.raw(&[0, 0x0b]);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    around("many_functions", &module)
}

/// A hundred thousand imports of a module.
fn many_imports() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    for number in 0..=1_000_000 {
        imports.import("", if number % 2 == 0 { "a" } else { "b" }, EntityType::Function(0));
    }
    let mut module = Module::new();
    module.section(&types).section(&imports);
    around("many_imports", &module)
}

/// One module, instantiated a hundred times.
fn many_instances() -> Vec<u8> {
    let instances = "(core instance (instantiate $m))".repeat(100);
    of_text("many_instances", &format!("(component (core module $m (memory 1)) {instances})"))
}

/// A function with more variables than a function may have.
fn many_locals() -> Vec<u8> {
    around("many_locals", &one_function(60_000, |_| {}))
}

/// Five thousand modules.
fn many_modules() -> Vec<u8> {
    let mut component = Component::new();
    for _ in 0..5_000 {
        component.section(&ModuleSection(&Module::new()));
    }
    with_manifest(component, &manifest("many_modules", ""))
}

/// A million types and one.
fn many_types() -> Vec<u8> {
    let mut types = TypeSection::new();
    for _ in 0..=1_000_000 {
        types.ty().function([], []);
    }
    let mut module = Module::new();
    module.section(&types);
    around("many_types", &module)
}

/// A component that says nothing of itself.
fn no_manifest() -> Vec<u8> {
    Component::new().finish()
}

/// Ends in the middle of a section.
fn truncated() -> Vec<u8> {
    let mut wasm = many_instances();
    wasm.truncate(wasm.len() / 3);
    wasm
}

/// Two manifests, of which the second asks for more.
fn two_manifests() -> Vec<u8> {
    let mut wasm = of_text("two_manifests", "(component)");
    let second = manifest("two_manifests", "rights: { kv: true }\n");
    append_section(&mut wasm, MANIFEST_SECTION, second.as_bytes());
    wasm
}

/// Types of which each has the one before it many times over.
fn type_bomb() -> Vec<u8> {
    let mut text = "(component (type $t0 (tuple u8 u8 u8 u8 u8 u8 u8 u8 u8 u8))".to_owned();
    for level in 1..30 {
        let above = format!(" $t{}", level - 1).repeat(10);
        write!(text, "(type $t{level} (tuple{above}))").expect("a text");
    }
    of_text("type_bomb", &(text + ")"))
}
