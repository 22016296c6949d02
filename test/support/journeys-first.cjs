const { default: Sequencer } = require('@jest/test-sequencer');

/** Starts the journeys first, because they are the slowest tests, which Jest does not know in a new checkout. */
module.exports = class JourneysFirst extends Sequencer {
  sort(tests) {
    const isJourney = ({ path }) => path.includes('journeys');
    const sorted = super.sort(tests);
    return [...sorted.filter(isJourney), ...sorted.filter((test) => !isJourney(test))];
  }
};
