use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", review = start(remind_every = "1s"))]
struct Import {
    table: String,
}

fn main() {}
