import { config } from 'chai';

// What failed far away, and perhaps once only, has to be in the message: it can't be looked at again.
config.truncateThreshold = 0;
