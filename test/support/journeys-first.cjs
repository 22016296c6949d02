const { default: Sequencer } = require('@jest/test-sequencer');

/** Journeys take the longest, which Jest does not know in a fresh checkout: whatever begins last should end soon. */
module.exports = class JourneysFirst extends Sequencer {
  sort(tests) {
    const isJourney = ({ path }) => path.includes('journeys');
    const sorted = super.sort(tests);
    return [...sorted.filter(isJourney), ...sorted.filter((test) => !isJourney(test))];
  }
};
