use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", retry = linear(base = "1s"))]
struct Import {
    table: String,
}

fn main() {}
