"use strict";
// What the programs share: their input is JSON on stdin, their output one JSON
// line for each step.
const { readFileSync } = require("node:fs");

const input = JSON.parse(readFileSync(0, "utf8"));

// step prints what act returns, or what describe says about what it throws.
async function step(name, act, describe) {
	let result;
	try {
		result = await act();
	} catch (err) {
		result = { error: await describe(err) };
	}
	process.stdout.write(JSON.stringify({ step: name, ...result }) + "\n");
	return result;
}

module.exports = { input, step };
