use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", retry = 5)]
struct Import {
    table: String,
}

fn main() {}
