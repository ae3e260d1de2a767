use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "import", lock = "table:{args.table}", lock_shared = "table:{args.table}")]
struct Import {
    table: String,
}

fn main() {}
