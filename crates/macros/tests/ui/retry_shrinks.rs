use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", retry = exponential(factor = 0.5))]
struct Import {
    table: String,
}

fn main() {}
