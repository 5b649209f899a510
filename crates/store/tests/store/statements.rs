//! What goes in comes out, the same on both.

use callboard_store::{Db, Error, Sql, Value, args, query};

use super::support::{Place, create_t, first, on_both, text};

on_both!(
    values_come_back_as_they_went_in,
    large_values,
    nul_is_refused,
    null_and_number_in_the_same_statement,
    what_is_computed_has_the_same_type,
    long_lists,
    thousands_of_rows,
    rows_as_a_table,
    order_is_by_bytes,
    names_per_engine,
);

async fn values_come_back_as_they_went_in(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let rows = [
        args![1, i64::MIN, 1.5, "a'\"; -- \u{1F600} \u{1} $1 ? :x", vec![0_u8, 255]],
        args![2, i64::MAX, f64::MIN_POSITIVE, "", Vec::<u8>::new()],
        args![3, 0, -0.0, "\u{10FFFF}\r\n\t\u{7F}", vec![0_u8; 3]],
        args![4, None::<i64>, None::<f64>, None::<&str>, None::<Vec<u8>>],
    ];
    for row in rows.clone() {
        db.execute(query("INSERT INTO t(id, i, r, t, b) VALUES ($1, $2, $3, $4, $5)", row)).await.unwrap();
    }
    let found = db.fetch_all(query("SELECT id, i, r, t, b FROM t ORDER BY id", args![])).await.unwrap();
    assert_eq!(found.len(), rows.len());
    for (found, row) in found.iter().zip(&rows) {
        assert_eq!(found.get::<i64>("id").unwrap(), i64_of(&row[0]));
        assert_eq!(found.get::<Option<i64>>("i").unwrap().map(Value::from).unwrap_or(Value::Null), row[1]);
        assert_eq!(found.get::<Option<f64>>("r").unwrap().map(Value::from).unwrap_or(Value::Null), row[2]);
        assert_eq!(found.get::<Option<String>>("t").unwrap().map(Value::from).unwrap_or(Value::Null), row[3]);
        assert_eq!(found.get::<Option<Vec<u8>>>("b").unwrap().map(Value::from).unwrap_or(Value::Null), row[4]);
    }
    let wrong = found[0].get::<String>("i").unwrap_err();
    assert!(wrong.to_string().contains("whole number"), "{wrong}");
    assert!(found[0].get::<i64>("w").unwrap_err().to_string().contains("is not there"));
    for row in &rows {
        let sql = query("SELECT count(*) FROM t WHERE t = $1 OR b = $2", vec![row[3].clone(), row[4].clone()]);
        assert_eq!(first::<i64>(&db, sql).await, i64::from(row[3] != Value::Null), "{row:?}");
    }
}

fn i64_of(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

async fn large_values(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let bytes: Vec<u8> = (0_u32..5_000_000).map(|number| u8::try_from(number % 251).unwrap()).collect();
    let letters = "äb\u{1F600}".repeat(1_000_000);
    db.execute(query("INSERT INTO t(id, t, b) VALUES (1, $1, $2)", args![&letters, bytes.clone()])).await.unwrap();
    let row = db.fetch_optional(query("SELECT t, b FROM t", args![])).await.unwrap().unwrap();
    assert_eq!(row.get::<String>("t").unwrap(), letters);
    assert_eq!(row.get::<Vec<u8>>("b").unwrap(), bytes);
}

async fn nul_is_refused(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let mut rows = query("INSERT INTO t(id, t) VALUES ", args![]);
    rows.rows([args![1, "a"], args![2, "a\0"]]);
    let mut list = Sql::new();
    list.push("SELECT id FROM t WHERE t IN ").list(["a", "\0"]);
    let mut bound = Sql::new();
    bound.push("SELECT id FROM t WHERE t = ").bind("\0");
    for (writes, sql) in [
        (true, query("INSERT INTO t(id, t) VALUES (1, $1)", args!["a\0b"])),
        (true, rows),
        (false, list),
        (false, bound),
    ] {
        let refused = match writes {
            true => db.execute(sql).await.map(|_| ()),
            false => db.fetch_all(sql).await.map(|_| ()),
        };
        let refused = refused.unwrap_err();
        assert!(matches!(refused, Error::Nul), "{refused}");
        assert!(refused.to_string().contains("U+0000"), "{refused}");
    }
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, 0);
    // In bytes it is a byte like any other.
    db.execute(query("INSERT INTO t(id, b) VALUES (1, $1)", args![vec![0_u8]])).await.unwrap();
}

/// The types of the arguments belong to a prepared statement: NULL must not decide what comes after it.
async fn null_and_number_in_the_same_statement(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    for (id, value) in [(1, Value::Null), (2, Value::Integer(7)), (3, Value::Null), (4, Value::Integer(-1))] {
        db.execute(query("INSERT INTO t(id, i) VALUES ($1, $2)", vec![Value::Integer(id), value])).await.unwrap();
    }
    for (value, expected) in [(Value::Null, 0), (Value::Integer(7), 1), (Value::Integer(8), 0), (Value::Null, 0)] {
        let sql = query("SELECT count(*) FROM t WHERE i = $1", vec![value.clone()]);
        assert_eq!(first::<i64>(&db, sql).await, expected, "{value:?}");
    }
    for value in [text("x"), Value::Null, Value::Integer(3), Value::Blob(vec![1])] {
        let row = db.fetch_optional(query("SELECT $1 AS v", vec![value.clone()])).await.unwrap().unwrap();
        match value {
            Value::Text(text) => assert_eq!(row.get::<String>("v").unwrap(), text),
            Value::Integer(number) => assert_eq!(row.get::<i64>("v").unwrap(), number),
            Value::Blob(bytes) => assert_eq!(row.get::<Vec<u8>>("v").unwrap(), bytes),
            _ => assert_eq!(row.get::<Option<String>>("v").unwrap(), None),
        }
    }
}

async fn what_is_computed_has_the_same_type(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let mut tx = db.begin().await.unwrap();
    let rows = (0_i64..5).map(|id| args![id, 2_000_000_000_000_000_000_i64 / (id + 1), "äö", vec![1_u8, 2, 3]]);
    tx.insert("INSERT INTO t(id, i, t, b) VALUES ", rows, "").await.unwrap();
    tx.commit().await.unwrap();
    for (sql, expected) in [
        ("SELECT count(*) FROM t", 5),
        ("SELECT sum(id) FROM t", 10),
        ("SELECT sum(i) FROM t", 4_566_666_666_666_666_666),
        ("SELECT sum(-i) FROM t", -4_566_666_666_666_666_666),
        ("SELECT sum(id * 10000) FROM t", 100_000),
        ("SELECT sum(id) FROM t WHERE id = 0", 0),
        ("SELECT max(id) FROM t", 4),
        ("SELECT length(t) FROM t", 2),
        ("SELECT length(b) FROM t", 3),
        ("SELECT id = 3 FROM t WHERE id = 3", 1),
        ("SELECT id = 3 FROM t WHERE id = 2", 0),
        ("SELECT EXISTS (SELECT 1 FROM t WHERE id = 9)", 0),
        ("SELECT 7", 7),
        ("SELECT CASE WHEN max(id) > 2 THEN 1 ELSE 0 END FROM t", 1),
    ] {
        assert_eq!(first::<i64>(&db, query(sql, args![])).await, expected, "{sql}");
    }
    let half: f64 = first(&db, query("SELECT avg(id) FROM t WHERE id IN (1, 2)", args![])).await;
    assert!((half - 1.5).abs() < 1e-12, "{half}");
    let none: Option<i64> = first(&db, query("SELECT sum(id) FROM t WHERE id > 9", args![])).await;
    assert_eq!(none, None);
}

async fn long_lists(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let mut tx = db.begin().await.unwrap();
    let rows = (0_i64..1000).map(|id| args![id, format!("name-{id}"), id.to_be_bytes().to_vec()]);
    assert_eq!(tx.insert("INSERT INTO t(id, t, b) VALUES ", rows, "").await.unwrap(), 1000);
    tx.commit().await.unwrap();
    let most = 100_000_i64;
    let mut lists: Vec<(Sql, i64)> = Vec::new();
    let mut add = |list: &dyn Fn(&mut Sql), expected| {
        let mut sql = query("SELECT count(*) FROM t WHERE ", args![]);
        list(&mut sql);
        lists.push((sql, expected));
    };
    add(&|sql| _ = sql.push("t IN ").list((0..most).map(|id| format!("name-{id}"))), 1000);
    add(&|sql| _ = sql.push("id IN ").ids(500..most), 500);
    add(&|sql| _ = sql.push("b IN ").blobs((0..most).map(|id| id.to_be_bytes())), 1000);
    add(&|sql| _ = sql.push("id NOT IN ").ids(10..most), 10);
    add(&|sql| _ = sql.push("id IN ").ids([]), 0);
    add(&|sql| _ = sql.push("t NOT IN ").list([""; 0]), 1000);
    add(&|sql| _ = sql.push("t IN ").list(["name-1", "na\"me\\", "{name-2}", "NULL", ""]), 1);
    add(&|sql| _ = sql.push("b IN ").blobs([Vec::new(), vec![0; 8]]), 1);
    for (number, (sql, expected)) in lists.into_iter().enumerate() {
        assert_eq!(first::<i64>(&db, sql).await, expected, "list {number}");
    }
}

async fn thousands_of_rows(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let rows = |from: i64| {
        (from..from + 20_000).map(move |id| {
            let every = |n: i64| id % n == 0;
            args![
                id,
                every(2).then_some(id * 10),
                every(3).then_some(0.5),
                every(5).then(|| format!("text {id}")),
                None::<Vec<u8>>,
            ]
        })
    };
    let mut tx = db.begin().await.unwrap();
    let into = "INSERT INTO t(id, i, r, t, b) VALUES ";
    assert_eq!(tx.insert(into, rows(0), "").await.unwrap(), 20_000);
    assert_eq!(tx.insert(into, rows(10_000), " ON CONFLICT DO NOTHING").await.unwrap(), 10_000);
    let then = " ON CONFLICT(id) DO UPDATE SET t = excluded.t || '!'";
    assert_eq!(tx.insert(into, rows(0).take(10), then).await.unwrap(), 10);
    assert_eq!(tx.insert(into, [], "").await.unwrap(), 0);
    tx.commit().await.unwrap();
    for (sql, expected) in [
        ("SELECT count(*) FROM t", 30_000),
        ("SELECT count(i) FROM t", 15_000),
        ("SELECT sum(i) FROM t", 2_249_850_000),
        ("SELECT count(r) FROM t", 10_000),
        ("SELECT count(t) FROM t", 6_000),
        ("SELECT count(b) FROM t", 0),
        ("SELECT count(*) FROM t WHERE t = 'text 5!'", 1),
    ] {
        assert_eq!(first::<i64>(&db, query(sql, args![])).await, expected, "{sql}");
    }
    let again = insert(&db, args![1]).await.unwrap_err();
    assert!(matches!(again, Error::Duplicate(_)), "{again}");
}

async fn insert(db: &Db, row: Vec<Value>) -> Result<u64, Error> {
    let mut sql = query("INSERT INTO t(id) VALUES ", args![]);
    sql.rows([row]);
    db.execute(sql).await
}

async fn rows_as_a_table(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let mut tx = db.begin().await.unwrap();
    tx.insert("INSERT INTO t(id, i) VALUES ", (0..100).map(|id| args![id, 0]), "").await.unwrap();
    let mut sql = query("WITH new(id, i, t) AS (VALUES ", args![]);
    sql.rows((50..60).map(|id| args![id, id + 1, (id % 2 == 0).then(|| format!("t{id}"))]));
    sql.push(") UPDATE t SET i = new.i, t = new.t FROM new WHERE t.id = new.id");
    assert_eq!(tx.execute(sql).await.unwrap(), 10);
    tx.commit().await.unwrap();
    assert_eq!(first::<i64>(&db, query("SELECT sum(i) FROM t", args![])).await, 555);
    assert_eq!(first::<i64>(&db, query("SELECT count(t) FROM t", args![])).await, 5);
}

pub(super) async fn order_is_by_bytes(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let mut words = ["b", "B", "a", "Z", "ä", "_", "-", "a b", "ab", "a-b", "\u{1F600}", "é", "z", "", "A", "9", "10"];
    let mut tx = db.begin().await.unwrap();
    let rows = words.iter().enumerate().map(|(id, word)| args![i64::try_from(id).unwrap(), *word]).collect::<Vec<_>>();
    tx.insert("INSERT INTO t(id, t) VALUES ", rows, "").await.unwrap();
    tx.commit().await.unwrap();
    words.sort_unstable();
    let found = db.fetch_all(query("SELECT t FROM t ORDER BY t", args![])).await.unwrap();
    let found: Vec<String> = found.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(found, words);
    for (position, word) in words.iter().enumerate() {
        let before = query("SELECT count(*) FROM t WHERE t < $1", args![*word]);
        assert_eq!(first::<i64>(&db, before).await, i64::try_from(position).unwrap(), "{word}");
    }
    let greatest: String = first(&db, query("SELECT max(t) FROM t", args![])).await;
    assert_eq!(greatest, *words.last().unwrap());
}

async fn names_per_engine(place: Place) {
    let db = place.open().await;
    let mut sql = query("SELECT ", args![]);
    sql.push_on("instr(", "strpos(").bind("abc").push(", ").bind("c").push(")");
    assert_eq!(first::<i64>(&db, sql.clone()).await, 3);
    assert!(sql.text(db.engine()).unwrap().contains("(") && !sql.text(db.engine()).unwrap().contains("abc"));
}
