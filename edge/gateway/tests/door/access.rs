//! Who may ask what: every route, without a token, with a bad one, with another's.

use axum::http::StatusCode;
use gateway::{Access, Claims, ROUTES, Role, TokenSigner};

use crate::client::{MINE, OTHERS, Served, bearer, claims, now, operator, signer, trader};
use crate::fake::order;
use crate::samples::{body_of, path_of};
use schema::OrderState;
use units::Id;

/// The routes that INV-11 leaves open: market data (its stream and the fees of FEE-41 too) and health.
/// The document of the API says what anybody may read in docs/api.md.
const PUBLIC: [&str; 8] = [
    "/health",
    "/openapi.json",
    "/v1/fees",
    "/v1/market/assets",
    "/v1/market/book",
    "/v1/market/markets",
    "/v1/market/trades",
    "/v1/ws",
];

/// Every route but the listed public ones answers 401 to a request without credentials. Figures are
/// open to the machine itself; from elsewhere they need credentials like the rest.
/// covers: INV-11
#[tokio::test]
async fn only_the_listed_routes_are_public() {
    let served = Served::start().await;
    let public: Vec<&str> =
        ROUTES.iter().filter(|it| it.access == Access::Public).map(|it| it.path).collect();
    let mut sorted = public.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, PUBLIC);
    for route in ROUTES {
        let headers: &[_] = &[("x-forwarded-for", "203.0.113.9")];
        let answer = served.send(route.method, &path_of(route), headers, "{}").await;
        let refused = answer.status == StatusCode::UNAUTHORIZED;
        assert_eq!(refused, route.access != Access::Public, "{route:?}: {}", answer.text);
        if refused {
            assert_eq!(answer.fault().1, "PERMISSION_DENIED");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    assert_eq!(served.port.count(), 0);
}

/// Tokens that are worth nothing.
fn bad_tokens() -> Vec<String> {
    let good = signer().mint(&trader()).expect("short");
    let old = Claims { issued_at: now() - 700, expires_at: now() - 100, ..trader() };
    let foreign = TokenSigner::new(&[1; 32]).mint(&trader()).expect("short");
    let payload = good.split('.').nth(1).expect("three parts");
    let mut changed = good.clone();
    changed.replace_range(50..51, if &good[50..51] == "A" { "B" } else { "A" });
    vec![
        String::new(),
        "x".to_owned(),
        "Basic dXNlcjpwYXNz".to_owned(),
        format!("bearer {good}"),
        format!("Bearer {}", signer().mint(&old).expect("short")),
        format!("Bearer {foreign}"),
        format!("Bearer {changed}"),
        format!("Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}."),
        format!("Bearer {}", "a".repeat(5_000)),
    ]
}

/// covers: INV-71, INV-34
#[tokio::test]
async fn a_bad_token_is_401_on_every_protected_route() {
    let served = Served::start().await;
    for route in ROUTES.iter().filter(|it| it.access != Access::Public) {
        for token in bad_tokens() {
            let headers = [("authorization", token.as_str())];
            let answer = served.send(route.method, &path_of(route), &headers, "{}").await;
            assert_eq!(answer.fault(), (401, "PERMISSION_DENIED".into()), "{route:?} {token}");
        }
    }
    assert_eq!(served.port.count(), 0);
}

/// Traders do not operate, and an operator reaches no account by the user's routes.
/// covers: INV-13
#[tokio::test]
async fn roles_do_not_reach_each_others_routes() {
    let served = Served::start().await;
    // Even an operator whose token names the account: the role decides.
    let both = bearer(&claims(Role::Operator, vec![MINE]));
    for route in ROUTES {
        let (path, who) = (path_of(route), route.access);
        if who == Access::Trader {
            let headers = [("authorization", both.as_str())];
            let answer = served.send(route.method, &path, &headers, "{}").await;
            assert_eq!(answer.fault(), (403, "PERMISSION_DENIED".into()), "{route:?}");
        }
        if matches!(who, Access::Operator | Access::Monitor) {
            let answer = served.trader(route.method, &path, "{}").await;
            assert_eq!(answer.fault(), (403, "PERMISSION_DENIED".into()), "{route:?}");
        }
    }
    assert_eq!(served.port.count(), 0);
    assert_eq!(served.operator("get", "/metrics", "").await.status, StatusCode::OK);
}

/// 403 for another's account, 404 for what lies under it, and nothing of it in the answer.
/// covers: INV-12
#[tokio::test]
async fn nobody_reaches_anothers_account() {
    let served = Served::start().await;
    let (mine, theirs) = (Id([0x44; 16]), Id([0x55; 16]));
    for (id, account) in [(mine, MINE), (theirs, OTHERS)] {
        let view = order(id, account, OrderState::Pending);
        served.port.orders.lock().expect("no panic").insert(id, view);
    }
    served.port.answer(|_| {
        Ok(schema::Outcome::Refused(schema::Refusal::new(
            schema::Code::OrderNotFound,
            schema::Why::NoSuchOrder,
        )))
    });
    // Every route with an id, each tried with another's.
    for route in ROUTES.iter().filter(|it| it.access == Access::Trader && it.path.contains("{id}"))
    {
        let of_order = route.path.starts_with("/v1/orders/");
        let id = if of_order { theirs } else { OTHERS };
        let path = route.path.replace("{id}", &id.to_string());
        let answer = served.trader(route.method, &path, &body_of(route)).await;
        let expected = if of_order {
            (404, "ORDER_NOT_FOUND".to_owned())
        } else if route.path.starts_with("/v1/trades/") {
            (404, "TRADE_NOT_FOUND".to_owned())
        } else {
            (403, "PERMISSION_DENIED".to_owned())
        };
        assert_eq!(answer.fault(), expected, "{route:?}");
        for secret in ["50000", "7.5", "A-1", "mine"] {
            assert!(!answer.text.contains(secret), "{route:?}: {}", answer.text);
        }
    }
    // An id that nobody has reads the same as another's.
    let nobody = served.trader("get", &format!("/v1/orders/{}", Id([0x66; 16])), "").await;
    let others = served.trader("get", &format!("/v1/orders/{theirs}"), "").await;
    assert_eq!((nobody.status, nobody.text), (others.status, others.text));
    // In a body it is 403, and nothing is submitted.
    let before = served.port.count();
    let body = format!(
        r#"{{"account_id":"{OTHERS}","symbol":"BTC/USDT","side":"BUY","type":"LIMIT",
            "quantity":"1","price":"1","time_in_force":"GTC"}}"#
    );
    let answer = served.trader("post", "/v1/orders", &body).await;
    assert_eq!(answer.fault(), (403, "PERMISSION_DENIED".into()));
    assert_eq!(served.port.count(), before);
    let own = served.trader("get", &format!("/v1/orders/{mine}"), "").await;
    assert_eq!(
        (own.status, own.json()["account_id"].clone()),
        (StatusCode::OK, MINE.to_string().into())
    );
}

/// A user with several accounts names one, and may name any of theirs.
#[tokio::test]
async fn a_user_of_several_accounts_names_one() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(schema::Outcome::Accepted { order: Id([1; 16]) }));
    let token = bearer(&claims(Role::Trader, vec![MINE, OTHERS]));
    let headers = [("authorization", token.as_str())];
    let body = |account: &str| {
        format!(
            r#"{{{account}"symbol":"BTC/USDT","side":"BUY","type":"LIMIT","quantity":"1",
                "price":"1","time_in_force":"GTC"}}"#
        )
    };
    let unnamed = served.send("post", "/v1/orders", &headers, &body("")).await;
    assert_eq!(unnamed.fault(), (400, "INVALID_SCHEMA".into()));
    let account = format!(r#""account_id":"{OTHERS}","#);
    let named = served.send("post", "/v1/orders", &headers, &body(&account)).await;
    assert_eq!(named.status, StatusCode::CREATED, "{}", named.text);
    let schema::Command::PlaceOrder(order) = served.port.last().command else { panic!("an order") };
    assert_eq!(order.account, OTHERS);
}

/// The owner's token opens the same doors as long as it lives; the operator has no account.
#[tokio::test]
async fn a_good_token_is_good_again() {
    let served = Served::start().await;
    for _ in 0..3 {
        let answer = served.trader("get", &format!("/v1/accounts/{MINE}/balances"), "").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["balances"][0]["available"], "7.5");
    }
    assert!(operator().accounts.is_empty());
    served.stop().await;
}

/// A reaches A's balances; B's, the configuration of the venue and, with an operator's role, the balances of anyone
/// by the users' door are 403, whatever accounts the token names.
/// covers: INV-65
#[tokio::test]
async fn nobody_gains_what_the_role_does_not_give() {
    let served = Served::start().await;
    let balances = |account: Id| format!("/v1/accounts/{account}/balances");
    let denied = (403, "PERMISSION_DENIED".to_owned());
    let own = served.trader("get", &balances(MINE), "").await;
    assert_eq!(own.status, StatusCode::OK);
    assert_eq!(own.json()["account_id"], MINE.to_string());
    assert_eq!(served.trader("get", &balances(OTHERS), "").await.fault(), denied);
    for path in ["/v1/admin/markets", "/v1/admin/fees", "/v1/admin/assets"] {
        assert_eq!(served.trader("post", path, "{}").await.fault(), denied, "{path}");
    }
    let parameters = "/v1/admin/markets/BTC-USDT/parameters";
    assert_eq!(served.trader("post", parameters, "{}").await.fault(), denied);
    assert_eq!(served.operator("get", &balances(OTHERS), "").await.fault(), denied);
    let named = bearer(&claims(Role::Operator, vec![OTHERS]));
    let headers = [("authorization", named.as_str())];
    assert_eq!(served.send("get", &balances(OTHERS), &headers, "").await.fault(), denied);
    assert_eq!(served.port.count(), 0);
}
