use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", review = outcome(decide_within = "1h", otherwise = "ignore"))]
struct Import {
    table: String,
}

fn main() {}
