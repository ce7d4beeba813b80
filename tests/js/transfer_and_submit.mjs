// A stock JavaScript client, without custom types, pays another account and then for an inference.
//
//   node transfer_and_submit.mjs ws://127.0.0.1:9944 [model id]
//
// Without a model id it takes a model that can be run now; on a chain without one Dave registers a tiny model and Alice
// offers it, which takes up to two market epochs. Needs a development chain: its keys are the well-known ones.
//
// Prints one line of JSON. Any failure, and 150 s without success, end it with exit code 1.

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { randomBytes } from 'node:crypto';
import { identityModel, zeroInput } from './files.mjs';

const TIMEOUT_SECONDS = 150;
const AIC = 1_000_000_000_000n;
/** What nodes ask money for, in the chain's order. */
const ROLES = ['Compute', 'Storage'];
/** Blocks of the commit phase that must be left for a commitment. */
const BLOCKS_TO_COMMIT = 3;

const [url, wantedModel] = process.argv.slice(2);
if (!url || process.argv.length > 4 || (wantedModel !== undefined && !/^\d+$/.test(wantedModel))) {
	console.error('usage: node transfer_and_submit.mjs WS_URL [MODEL_ID]');
	process.exit(2);
}

let stage = 'connecting';
setTimeout(() => fail(new Error(`no success within ${TIMEOUT_SECONDS} s`)), TIMEOUT_SECONDS * 1000);

function fail(error) {
	console.error(`error while ${stage}: ${error?.message ?? error}`);
	process.exit(1);
}

function check(condition, message) {
	if (!condition) {
		throw new Error(message);
	}
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 500));

const bestBlock = async (api) => (await api.rpc.chain.getHeader()).number.toNumber();

/** Signs, sends, waits for the block; gives its hash and the transaction's events. */
function send(api, transaction, pair) {
	return new Promise((resolve, reject) => {
		transaction
			.signAndSend(pair, { nonce: -1 }, ({ status, events, dispatchError, isError }) => {
				if (dispatchError) {
					const known = dispatchError.isModule && api.registry.findMetaError(dispatchError.asModule);
					reject(new Error(known ? `${known.section}.${known.name}` : dispatchError.toString()));
				} else if (status.isInBlock) {
					resolve({ block: status.asInBlock, events: events.map(({ event }) => event) });
				} else if (isError) {
					reject(new Error(`the pool says ${status.type}`));
				}
			})
			.catch(reject);
	});
}

/** The first event of this name, or an error. */
function find(events, section, method) {
	const event = events.find((event) => event.section === section && event.method === method);
	check(event, `no event ${section}.${method}, only ${events.map((e) => `${e.section}.${e.method}`).join(', ')}`);
	return event;
}

/** Puts bytes into the node's store; gives the reference as the chain wants it. */
async function put(provider, bytes) {
	const { hash, size } = await provider.send('blob_put', [`0x${Buffer.from(bytes).toString('hex')}`]);
	check(size === bytes.length, `the node stored ${size} of ${bytes.length} bytes`);
	return { hash, size };
}

/** The price of a job with an input of so many bytes, or null if nobody can take it now. */
async function quote(api, model, size) {
	const answer = await api.call.marketApi.quote(model, size, 1, null);
	return answer.isOk && answer.asOk.executors.toNumber() > 0 ? answer.asOk : null;
}

async function transfer(api, from) {
	stage = 'transferring';
	const fresh = new Keyring({ type: 'sr25519' }).addFromSeed(randomBytes(32)).address;
	const { block, events } = await send(api, api.tx.balances.transferKeepAlive(fresh, AIC), from);
	find(events, 'balances', 'Transfer');
	const at = await api.at(block);
	const { data } = await at.query.system.account(fresh);
	check(data.free.toBigInt() === AIC, `the fresh account holds ${data.free} instead of ${AIC}`);
	return { block: block.toHex(), to: fresh };
}

/** A model that can be run now, or null. */
async function runnableModel(api) {
	const entries = await api.query.modelRegistry.models.entries();
	for (const [{ args: [model] }, record] of entries) {
		if (!record.unwrap().deprecated.isTrue && (await quote(api, model, 1024))) {
			return model.toNumber();
		}
	}
	return null;
}

/** Commits to an artefact, and waits until the commitment counts; gives the salt that opens it. */
async function commit(api, artefact, maker) {
	const salt = randomBytes(32);
	// Domain, account behind its length, BLAKE3 hash of the file, salt.
	const hidden = Buffer.concat([
		Buffer.from('highway/model/1'),
		Buffer.from([maker.publicKey.length << 2]),
		maker.publicKey,
		Buffer.from(artefact.hash.slice(2), 'hex'),
		salt,
	]);
	const committed = await send(api, api.tx.modelRegistry.commitModel(api.registry.hash(hidden)), maker);
	const from = find(committed.events, 'modelRegistry', 'ArtefactCommitted').data.from.toNumber();
	while ((await bestBlock(api)) + 1 < from) {
		await pause();
	}
	return `0x${salt.toString('hex')}`;
}

/** Registers a model of Dave's that Alice's node serves. */
async function serveModel(api, provider, maker, operator) {
	stage = 'registering a model';
	const tensor = (name) => ({ name, dtype: 'F32', shape: [null, 4] });
	const name = `identity-${randomBytes(4).toString('hex')}`;
	const spec = {
		artifact: await put(provider, identityModel(name)),
		licence: 'Apache-2.0',
		inputs: [tensor('x')],
		outputs: [tensor('y')],
		unit: 'Request',
		unitTimeMs: 200,
		policy: { Tolerance: { atol: 1_000, rtol: 1_000, outliers: 0 } },
		trace: null,
		detection: 500_000_000,
		sharesRuns: false,
		recipe: null,
	};
	const salt = await commit(api, spec.artifact, maker);
	const register = api.tx.modelRegistry.register(name, spec, null, null, AIC / 10_000n, salt);
	const registered = await send(api, register, maker);
	const model = find(registered.events, 'modelRegistry', 'ModelRegistered').data.model.toNumber();

	stage = 'hosting the model';
	await offer(api, operator, model, [
		{ role: 'Compute', price: AIC / 100n },
		{ role: 'Storage', price: AIC / 1_000n },
	]);
	return model;
}

/** The market of a model, once it and the best block's number are as wanted. */
async function marketWhen(api, model, isWanted) {
	for (;;) {
		const market = (await api.call.marketApi.market(model)).unwrap();
		if (isWanted(market, await bestBlock(api))) {
			return market;
		}
		await pause();
	}
}

/** What an operator commits to: nobody else sees the price before everybody has. */
function sealed(api, node, epoch, model, { role, price, salt }) {
	const numbers = Buffer.alloc(12);
	[node, epoch, model].forEach((number, place) => numbers.writeUInt32LE(number, 4 * place));
	const amount = Buffer.alloc(16);
	amount.writeBigUInt64LE(price & 0xffff_ffff_ffff_ffffn);
	amount.writeBigUInt64LE(price >> 64n, 8);
	// Domain, node, epoch, model, role, the price behind a 1 that says that there is one, salt.
	const parts = [Buffer.from('highway/ask/1'), numbers, Buffer.from([ROLES.indexOf(role), 1]), amount, salt];
	return api.registry.hash(Buffer.concat(parts));
}

/** Hosts the model, commits to asks in the first part of a market epoch, reveals them in the second; ends when they hold. */
async function offer(api, operator, model, asks) {
	const node = (await api.query.nodeStaking.nodeOf(operator.address)).unwrap().toNumber();
	const salted = asks.map((ask) => ({ ...ask, salt: randomBytes(32) }));

	stage = 'waiting until commitments are taken';
	const clock = await marketWhen(
		api,
		model,
		(market, best) => market.phase.isCommit && market.phaseUntil.toNumber() - best >= BLOCKS_TO_COMMIT,
	);
	const epoch = clock.epoch.toNumber() + 1;
	const { revenueSplit, nodeStaking, utility } = api.tx;
	const commits = salted.map((ask) =>
		revenueSplit.commitAsk(model, ask.role, sealed(api, node, epoch, model, ask)),
	);
	const committed = await send(api, utility.batchAll([nodeStaking.host(model), ...commits]), operator);
	const { data } = find(committed.events, 'revenueSplit', 'AskCommitted');
	check(data.epoch.toNumber() === epoch, `the commitment for epoch ${epoch} came too late`);

	stage = 'waiting until asks are revealed';
	await marketWhen(api, model, (_, best) => best >= clock.phaseUntil.toNumber());
	const reveals = salted.map(({ role, price, salt }) =>
		revenueSplit.revealAsk(model, role, price, `0x${salt.toString('hex')}`),
	);
	await send(api, utility.batchAll(reveals), operator);

	stage = 'waiting for the market epoch in which the asks hold';
	while (!(await quote(api, model, 1024))) {
		await pause();
	}
}

async function submit(api, provider, payer, model) {
	stage = 'submitting a job';
	const found = await api.query.modelRegistry.models(model);
	check(found.isSome, `there is no model ${model}`);
	const record = found.unwrap();
	const spec = (await api.query.modelRegistry.versions(model, record.version)).unwrap();
	const inputs = spec.inputs.map(({ name, dtype, shape }) => ({
		name: name.toUtf8(),
		dtype: dtype.type.toUpperCase(),
		shape: shape.map((dimension) => (dimension.isSome ? dimension.unwrap().toNumber() : 1)),
	}));
	const bytes = zeroInput(inputs);
	const price = (await quote(api, model, bytes.length))?.price.toBigInt();
	check(price !== undefined, `no node can take a job of model ${model} now`);
	const input = await put(provider, bytes);
	const call = api.tx.inferenceJobs.submitJob(model, input, 'Spot', price, null, null);
	const { block, events } = await send(api, call, payer);
	const { data } = find(events, 'inferenceJobs', 'JobSubmitted');
	check(data.payer.toString() === payer.address, `the job's payer is ${data.payer}`);
	check(data.model.toNumber() === model, `the job's model is ${data.model}`);
	check(data.price.toBigInt() <= price, `the job's price is ${data.price}, above ${price}`);
	return {
		job: data.job.toNumber(),
		model,
		node: data.node.toNumber(),
		price: data.price.toString(),
		deadline: data.deadline.toNumber(),
		block: block.toHex(),
	};
}

async function main() {
	const provider = new WsProvider(url);
	const api = await ApiPromise.create({ provider, noInitWarn: true, throwOnConnect: true });
	const keyring = new Keyring({ type: 'sr25519' });
	const [alice, dave, eve] = ['//Alice', '//Dave', '//Eve'].map((secret) => keyring.addFromUri(secret));

	const transferred = await transfer(api, eve);
	stage = 'looking for a model';
	const model =
		wantedModel === undefined
			? ((await runnableModel(api)) ?? (await serveModel(api, provider, dave, alice)))
			: Number(wantedModel);
	const submitted = await submit(api, provider, eve, model);
	console.log(JSON.stringify({ transfer: transferred, job: submitted }));
	process.exit(0);
}

main().catch(fail);
