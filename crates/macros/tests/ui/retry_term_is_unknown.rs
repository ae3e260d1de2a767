use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", retry = exponential(max = "1h"))]
struct Import {
    table: String,
}

fn main() {}
