use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", retry = [])]
struct Import {
    table: String,
}

fn main() {}
