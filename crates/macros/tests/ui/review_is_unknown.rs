use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", review = "result")]
struct Import {
    table: String,
}

fn main() {}
