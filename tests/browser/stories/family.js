// The family of the stories: one parent and two children in the village of the demonstration.

import { idNumber } from "../people.js";

/** The citizen of the demonstration whom the registry does not know. */
export const PARENT = { name: "高小满", id: idNumber("19880307", "012"), born: "1988-03-07" };
const CHILDREN = [
  { name: "高天佑", id: idNumber("20130518", "113"), born: "2013-05-18", sex: "1", relation: "20" },
  { name: "高天悦", id: idNumber("20160902", "124"), born: "2016-09-02", sex: "2", relation: "30" },
];

/** Yuan of the last twelve months, as the vector V1 has them: 9,600 a year, 800 a month. */
const INCOME = {
  "income.wages12": "9000", "income.business12": "600", "income.property12": "0",
  "income.transfer12": "0", "income.other12": "0",
};
const PROPERTY = {
  "property.deposits": "3000", "property.houses": "1", "property.vehicle_value": "0",
  "property.machinery_value": "0", "property.company": false,
};

function member(at, values) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`members[${at}].${name}`, value]),
  );
}

/** What an assessment asks: nobody's name, nobody's number. */
export function assessed(county) {
  const children = CHILDREN.map((child, at) =>
    member(at + 1, {
      relation: child.relation, sex: child.sex, birth_date: child.born, labour_ability: "4",
      counted: true,
    }),
  );
  const parent = member(0, {
    relation: "02", sex: "2", birth_date: PARENT.born, labour_ability: "1", counted: true,
  });
  const home = { "family.region": county, "family.urban": false };
  return Object.assign({}, home, parent, ...children, INCOME, PROPERTY);
}

/** The family with names and numbers, as a form about them asks. */
function named(village) {
  const children = CHILDREN.map((child, at) =>
    member(at + 1, {
      name: child.name, id_number: child.id, relation: child.relation, sex: child.sex,
      birth_date: child.born, labour_ability: "4", counted: true,
    }),
  );
  const parent = member(0, {
    name: PARENT.name, id_number: PARENT.id, relation: "02", sex: "2", birth_date: PARENT.born,
    labour_ability: "1", monthly_income: "800", counted: true,
  });
  const home = {
    "family.region": village, "family.urban": false, "family.address": "幸福路21号",
    "family.phone": "13900001234", "family.cause": "5",
  };
  return Object.assign({}, home, parent, ...children);
}

/** The form of an application for the minimum living allowance. */
export function applied(village) {
  return {
    "aid.reason": "独自抚养两个孩子，收入不足以维持基本生活。",
    ...named(village), "family.bank_account": "6228000000000000018", ...INCOME, ...PROPERTY,
  };
}

/** The form of a declaration. */
export function declared(village) {
  return { ...named(village), ...INCOME, ...PROPERTY };
}

/** Somebody whom the registry does not know either, as a village worker reports them. */
export const REPORTED = { name: "任有福", id: idNumber("19570819", "131") };

export function reported() {
  return {
    "family.urban": false, "family.address": "河西巷7号", "family.phone": "13900005678",
    "family.cause": "1", "members[0].name": REPORTED.name, "members[0].id_number": REPORTED.id,
    "members[0].relation": "02", "members[0].labour_ability": "4", "living.food": "short",
    "living.water_safe": true, "housing.kind": "borrowed", "members[0].severe_illness": true,
    "members[0].illness": "尘肺病", "expense.medical12": "18600",
  };
}
