//! Featured places: bids in one epoch, places in the next, at the first losing bid.

use highway_primitives::{Balance, ModelId, AIC};
use highway_runtime::{
	pallet_promotion::{Bids, Call, Error, Event},
	AccountId, Balances, Block, Runtime, RuntimeEvent, System,
};
use highway_runtime_api::{runtime_decl_for_market_api::MarketApi, types::FeaturedInfo};
use highway_runtime_tests::{invariants::free, treasury, Chain};
use pallet_model_registry::{Call as Model, Error as ModelError};
use sp_keyring::Sr25519Keyring::{self, Charlie, Dave, Eve, Ferdie};
use sp_runtime::DispatchError;

fn bid(model: ModelId, price: Balance) -> Call<Runtime> {
	Call::bid { model, price }
}

fn featured() -> Vec<FeaturedInfo<AccountId>> {
	<Runtime as MarketApi<Block, AccountId>>::featured()
}

fn held(who: Sr25519Keyring) -> Balance {
	System::account(who.to_account_id()).data.reserved
}

/// Dave's models.
fn models(chain: &mut Chain, count: u32) -> Vec<ModelId> {
	let names = (0..count).map(|index| format!("model-{index}"));
	names.map(|name| chain.register_model(Dave, &name, 0)).collect()
}

#[test]
fn the_eight_highest_bids_should_be_featured_at_the_ninth() {
	Chain::local(|chain| {
		let models = models(chain, 9);
		chain.next_market_epoch();
		let (funds, kept) = ([Eve, Ferdie].map(|who| chain.funds(who)), free(&treasury()));
		// One bids for eight models, the other for the one that nobody bids less for.
		for model in &models[1..] {
			chain.ok(Eve, bid(*model, AIC * Balance::from(20 + model)));
		}
		chain.ok(Ferdie, bid(models[0], 10 * AIC));
		assert_eq!(held(Ferdie), 10 * AIC);
		assert!(featured().is_empty(), "not before the next epoch");

		chain.next_market_epoch();
		let places = featured();
		let expected = models[1..].iter().rev().map(|model| FeaturedInfo {
			model: *model,
			bidder: Eve.to_account_id(),
			bid: AIC * Balance::from(20 + model),
			price: 10 * AIC,
		});
		assert_eq!(places, expected.collect::<Vec<_>>(), "highest first");
		assert_eq!([Eve, Ferdie].map(held), [0, 0], "what is not paid is given back");
		assert_eq!(
			[Eve, Ferdie].map(|who| chain.funds(who)),
			[funds[0] - 80 * AIC, funds[1]]
		);
		assert_eq!(free(&treasury()), kept + 40 * AIC);
		let burned = chain.events().into_iter().map(|event| match event {
			RuntimeEvent::Promotion(Event::Promoted { burned, .. }) => burned,
			_ => 0,
		});
		assert_eq!(burned.sum::<Balance>(), 40 * AIC);

		// A model that takes no jobs keeps its place, but nobody is led to it.
		chain.ok(Dave, Model::deprecate { model: models[8] });
		assert_eq!(featured().len(), 7);
		chain.next_market_epoch();
		assert!(featured().is_empty(), "a place is for one epoch");
	});
}

#[test]
fn a_place_that_nobody_contends_for_should_cost_the_least() {
	Chain::local(|chain| {
		let model = models(chain, 1)[0];
		chain.next_market_epoch();
		let (funds, kept) = (chain.funds(Eve), free(&treasury()));
		chain.ok(Eve, bid(model, 50 * AIC));
		chain.close();
		let issuance = Balances::total_issuance() - pallet_node_staking::Minted::<Runtime>::get();
		chain.next_market_epoch();
		assert_eq!(
			featured().into_iter().map(|place| place.price).collect::<Vec<_>>(),
			vec![AIC]
		);
		assert_eq!((chain.funds(Eve), held(Eve)), (funds - AIC, 0));
		assert_eq!(free(&treasury()), kept + AIC / 2);
		let left = Balances::total_issuance() - pallet_node_staking::Minted::<Runtime>::get();
		assert_eq!(left, issuance - AIC / 2);
	});
}

#[test]
fn a_bid_should_be_refused_when_it_is_too_low_or_for_nothing() {
	Chain::local(|chain| {
		let models = models(chain, 2);
		chain.ok(Dave, Model::deprecate { model: models[1] });
		chain.next_market_epoch();
		for (model, price, why) in [
			(models[0], AIC - 1, DispatchError::from(Error::<Runtime>::BidBelowMin)),
			(models[1], AIC, ModelError::<Runtime>::ModelDeprecated.into()),
			(99, AIC, ModelError::<Runtime>::UnknownModel.into()),
		] {
			assert_eq!(chain.call(Eve, bid(model, price)), Err(why));
		}
		chain.ok(Eve, bid(models[0], 2 * AIC));
		assert_eq!(
			chain.call(Ferdie, bid(models[0], 2 * AIC)),
			Err(Error::<Runtime>::ModelHasHigherBid.into())
		);
		// Who offers more takes its place at once, and the other has its coins back.
		chain.ok(Ferdie, bid(models[0], 3 * AIC));
		assert_eq!(
			([Eve, Ferdie].map(held), Bids::<Runtime>::get().len()),
			([0, 3 * AIC], 1)
		);
		let poor = chain.call(Charlie, bid(models[0], 1_000_000_000 * AIC));
		assert!(matches!(poor, Err(DispatchError::Token(_))), "{poor:?}");
		assert_eq!(held(Ferdie), 3 * AIC, "what fails moves nothing");
	});
}

#[test]
fn bids_should_be_for_one_epoch_whoever_owns_the_model() {
	Chain::local(|chain| {
		let model = models(chain, 1)[0];
		chain.next_market_epoch();
		chain.ok(Eve, bid(model, 5 * AIC));
		chain.next_market_epoch();
		assert_eq!(featured().len(), 1);
		// Whoever takes its model away has paid for nothing, and shut nobody out.
		chain.ok(Ferdie, bid(model, 5 * AIC));
		chain.ok(Dave, Model::remove { model });
		let again = chain.register_model(Dave, "model-0", 0);
		chain.next_market_epoch();
		assert!(featured().is_empty(), "model {again} has nothing of model {model}");
		assert_eq!(held(Ferdie), 0);
	});
}
